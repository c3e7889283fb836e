//! `scanner serve` reads its configuration again when it is told to, and tells its service manager how it is.

use std::os::unix::net::UnixDatagram;

use model::SweepState;
use simulator::{Simulator, World};

use crate::{
    scanner::{Shell, start},
    serving::Serving,
};

async fn organization() -> Simulator {
    let world = World::from_toml("[[account]]\nname = \"management\"\nchain = \"complete\"\n");
    start(world.unwrap()).await
}

#[tokio::test]
async fn a_configuration_that_cannot_be_used_changes_nothing_and_a_good_one_is_taken() {
    let simulator = organization().await;
    // Flags and environment beat the file, so nothing of it is said there.
    let shell = Shell::at(&simulator).by_every_control();
    let write = |text: &str| std::fs::write(shell.path("scanner.toml"), text).unwrap();
    write("[scope]\ncontrols = [\"organizations-changes\"]\n");
    let mut serving = Serving::start(&shell, "serve.log", &["--config", "scanner.toml"]);
    let finished = |count: usize| {
        move |sweeps: &[store::SweepRow]| {
            let state = sweeps.last().map(|sweep| sweep.state);
            sweeps.len() == count && state == Some(SweepState::Finished)
        }
    };
    serving.sweeps("swept once", finished(1)).await;

    write("[scope]\ncontrols = [\"organizations-changes\"]\n[serve]\ninterval = \"soon\"\n");
    serving.signal("HUP").await;
    serving.says("the configuration cannot be used").await;
    let refused = &serving.lines("the configuration cannot be used")[0];
    let why = refused["fields"]["error"].as_str().unwrap();
    assert!(why.contains("line 4") && why.contains("soon"), "{why}");

    write("[store]\npath = \"another.db\"\n");
    serving.signal("HUP").await;
    (serving.until("refused twice", async |it| {
        it.lines("the configuration cannot be used").len() == 2
    }))
    .await;
    let refused = &serving.lines("the configuration cannot be used")[1];
    let why = refused["fields"]["error"].as_str().unwrap();
    assert!(
        why.contains("cannot change while the service runs"),
        "{why}"
    );

    // Other controls: what is there is judged anew at once.
    write("[scope]\ncontrols = [\"organizations-changes\", \"root-usage\"]\n");
    serving.signal("HUP").await;
    let sweeps = serving.sweeps("swept twice", finished(2)).await;
    assert_eq!(sweeps[0].scope.controls.len(), 1);
    assert_eq!(sweeps[1].scope.controls.len(), 2);
    assert_eq!(serving.stop().await, Some(0));
}

#[tokio::test]
async fn the_service_manager_hears_that_it_is_ready_alive_reloading_and_stopping() {
    let simulator = organization().await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notify");
    let socket = UnixDatagram::bind(&path).unwrap();
    socket.set_nonblocking(true).unwrap();
    let shell = Shell::at(&simulator)
        .with("NOTIFY_SOCKET", path.to_str().unwrap())
        .with("WATCHDOG_USEC", "2000000");
    let mut serving = Serving::start(&shell, "serve.log", &[]);
    let messages = std::cell::RefCell::new(Vec::new());
    let hears = |wanted: &'static str, times: usize| {
        let (messages, socket) = (&messages, &socket);
        async move |_: &Serving| {
            let mut buffer = [0; 4096];
            while let Ok(length) = socket.recv(&mut buffer) {
                let text = String::from_utf8_lossy(&buffer[..length]);
                let lines = text.lines().map(str::to_owned);
                messages.borrow_mut().extend(lines);
            }
            let messages = messages.borrow();
            messages.iter().filter(|line| *line == wanted).count() >= times
        }
    };
    serving.until("it is ready", hears("READY=1", 1)).await;
    // Again and again, from the loop that does the work.
    serving.until("it is alive", hears("WATCHDOG=1", 4)).await;
    serving.signal("HUP").await;
    serving.until("it reloads", hears("RELOADING=1", 1)).await;
    serving
        .until("it is ready again", hears("READY=1", 2))
        .await;
    assert!(
        messages
            .borrow()
            .iter()
            .any(|line| line.starts_with("MONOTONIC_USEC="))
    );
    serving.signal("TERM").await;
    assert_eq!(serving.ended().await, Some(0));
    assert!(hears("STOPPING=1", 1)(&serving).await, "{messages:?}");
}
