//! The people of the simulated world: what has reached them, and what went wrong on the way.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use upkeep_domain::notice::{Address, Delivery};
use upkeep_domain::ports::{Courier, DeliveryError};

/// What happens to a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mishap {
    /// It is not taken, now or ever.
    Refused,
    /// It is not taken.
    Failed,
    /// It is taken, and nobody hears that it was.
    Unheard,
}

#[derive(Default)]
pub struct Letterbox {
    inside: Mutex<Inside>,
}

#[derive(Default)]
struct Inside {
    received: Vec<Delivery>,
    mishaps: VecDeque<Mishap>,
}

impl Letterbox {
    /// The next deliveries end like this, one after the other.
    pub fn expect(&self, mishaps: &[Mishap]) {
        let mut inside = self.inside.lock().unwrap_or_else(PoisonError::into_inner);
        inside.mishaps.extend(mishaps);
    }

    pub fn received(&self) -> Vec<Delivery> {
        let inside = self.inside.lock().unwrap_or_else(PoisonError::into_inner);
        inside.received.clone()
    }
}

#[async_trait]
impl Courier for Letterbox {
    async fn deliver(&self, delivery: &Delivery) -> Result<(), DeliveryError> {
        let mut inside = self.inside.lock().unwrap_or_else(PoisonError::into_inner);
        let mishap = inside.mishaps.pop_front();
        if matches!(mishap, None | Some(Mishap::Unheard)) {
            inside.received.push(delivery.clone());
        }
        let sentence = format!("{mishap:?}");
        match mishap {
            None => Ok(()),
            Some(Mishap::Refused) => Err(DeliveryError::Refused { sentence }),
            Some(Mishap::Failed | Mishap::Unheard) => Err(DeliveryError::Failed { sentence }),
        }
    }

    fn judge(&self, _address: &Address) -> Result<(), String> {
        Ok(())
    }
}
