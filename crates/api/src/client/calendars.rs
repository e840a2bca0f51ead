//! Calls about calendars that others subscribe to.

use reqwest::Method;

use super::{Client, Error};
use crate::body::{AddCalendar, Calendar};
use crate::paths;

impl Client {
    pub async fn calendars(&self) -> Result<Vec<Calendar>, Error> {
        self.get(paths::CALENDARS.to_owned()).await
    }

    /// Tells where to subscribe, this once.
    pub async fn add_calendar(&self, wish: &AddCalendar) -> Result<Calendar, Error> {
        self.send(Method::POST, paths::CALENDARS.to_owned(), wish)
            .await
    }

    /// Tells what it was.
    pub async fn remove_calendar(&self, id: i64) -> Result<Calendar, Error> {
        let path = paths::fill(paths::CALENDAR, &[&id.to_string()]);
        self.send(Method::DELETE, path, &()).await
    }
}
