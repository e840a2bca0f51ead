//! What is sent in tests, and how its fate is read.

use serde_json::json;
use upkeep_courier::{Courier, Settings};
use upkeep_domain::notice::{Delivery, Letter, Recipient};
use upkeep_domain::ports::{Courier as _, DeliveryError};

pub(crate) fn courier(settings: &str) -> Courier {
    Courier::new(Settings::read(settings).unwrap()).unwrap()
}

pub(crate) fn delivery(to: Recipient) -> Delivery {
    Delivery {
        notice: 7,
        told_at: "2026-11-23T09:00:00Z".parse().unwrap(),
        action: "maintenance_scheduled".to_owned(),
        database: "postgresql-flat-1".to_owned(),
        letter: Letter {
            subject: "Maintenance of postgresql-flat-1".to_owned(),
            says: vec!["It is scheduled for Tuesday.".to_owned()],
            obstacles: vec![],
            facts: vec![],
            errands: vec![],
            appointment: None,
        },
        about: json!({ "method": "changeover" }),
        to,
    }
}

pub(crate) fn to_mail(address: &str) -> Delivery {
    let address = address.to_owned();
    delivery(Recipient::Mail { address })
}

/// That it may be taken later, and why.
#[track_caller]
pub(crate) fn failed(result: Result<(), DeliveryError>) -> String {
    match result {
        Err(DeliveryError::Failed { sentence }) => sentence,
        other => panic!("not failed: {other:?}"),
    }
}

/// That it is of no use to try again, and why.
#[track_caller]
pub(crate) fn refused(result: Result<(), DeliveryError>) -> String {
    match result {
        Err(DeliveryError::Refused { sentence }) => sentence,
        other => panic!("not refused: {other:?}"),
    }
}

/// Delivers to a side that comes to know of it and does not answer. Clocks stand from then on, so that the
/// deadline is reached when everybody only waits.
pub(crate) async fn delivered_to_silence(
    courier: &Courier,
    delivery: &Delivery,
    knows: impl Future<Output = ()>,
) -> Result<(), DeliveryError> {
    let stop_clocks = async {
        knows.await;
        tokio::time::pause();
    };
    let (result, ()) = tokio::join!(courier.deliver(delivery), stop_clocks);
    result
}
