//! The options of `upkeep up` hold in its directory until others are given, for whoever runs there.

use std::time::Duration;

use upkeep_testkit::up::{self, Options, Role, Up};

use crate::world::options;

const ADDRESS: &str = "db.example.com:6432";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn up_remembers_its_options_and_down_says_when_nothing_runs() {
    let given = Options {
        advertise: Some(ADDRESS.to_owned()),
        retire_grace: Some(Duration::from_secs(5)),
        clean_stop: true,
        ..options()
    };
    let mut up = Up::start(up::make_dir().unwrap(), given).await.unwrap();
    up.crash_up().await.unwrap();
    let before = pids(&up);
    let nothing = |options: &mut Options| {
        options.advertise = None;
        options.retire_grace = None;
        options.clean_stop = false;
        options.soak = None;
    };
    up.start_again_with(nothing).await.unwrap();
    assert_eq!(up.endpoint(), ADDRESS);
    for option in [
        "--fence clean-stop",
        "--retire-grace-seconds 5",
        "--soak-seconds 1",
    ] {
        assert!(up.options().contains(option), "{}", up.options());
    }
    assert_eq!(pids(&up), before, "nothing is new to them");

    up.crash_up().await.unwrap();
    let soak = |options: &mut Options| options.soak = Some(Duration::from_secs(7));
    up.start_again_with(soak).await.unwrap();
    assert!(
        up.options().contains("--soak-seconds 7"),
        "{}",
        up.options()
    );
    let [server, agent, endpoint] = pids(&up);
    assert_ne!((server, agent), (before[0], before[1]), "they were told");
    assert_eq!(endpoint, before[2], "clients are on it");

    for said in ["Stopped, with 1 PostgreSQL instance.", "Nothing runs in `"] {
        let ended = up.attempt(&["down"]).await.unwrap();
        assert_eq!(ended.code, Some(0), "{ended:?}");
        assert!(ended.stdout.contains(said), "{said}: {ended:?}");
    }
    let elsewhere = up.dir().join("elsewhere");
    let args = ["down", "--dir", elsewhere.as_str()];
    let ended = up.attempt(&args).await.unwrap();
    assert_eq!(ended.code, Some(2), "{ended:?}");
    assert!(!elsewhere.exists());
}

fn pids(up: &Up) -> [nix::unistd::Pid; 3] {
    [Role::Server, Role::Agent, Role::Endpoint].map(|role| up.pid(role).unwrap())
}
