//! A server over a store of its own, and a service that says yes.

use std::{net::SocketAddr, sync::Arc};

use daemon::{
    ServiceEvent, ServiceRequest, ServiceStatus, SweepRequested, TaskName, service_handle,
};
use jiff::{SignedDuration, Timestamp};
use model::{FixedClock, TokenRole};
use store::{Journal, Store, Sweeper, TokenToAdd};
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::{broadcast, watch},
    task::JoinHandle,
};
use tokio_util::sync::CancellationToken;
use web::{AccessSettings, FreshToken, State, StateParts};

use crate::{
    client::{Answer, Ask, PATIENCE},
    world,
};

pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    pub(crate) clock: Arc<FixedClock>,
    pub(crate) sweeper: Sweeper,
    pub(crate) journal: Journal,
    pub(crate) status: watch::Sender<Arc<ServiceStatus>>,
    pub(crate) events: broadcast::Sender<ServiceEvent>,
    pub(crate) stop: CancellationToken,
    /// The tasks that were rung for, the first one first.
    pub(crate) woken: watch::Receiver<Vec<TaskName>>,
    task: JoinHandle<Result<(), web::Error>>,
    _folder: TempDir,
}

impl Server {
    /// A server over a store that knows nothing.
    pub(crate) async fn empty() -> Self {
        Self::at("127.0.0.1").await.unwrap()
    }

    /// A server over two sweeps of so many accounts.
    pub(crate) async fn of(accounts: u64) -> Self {
        let server = Self::empty().await;
        world::sweep(&server.sweeper, 0, accounts).await;
        world::sweep(&server.sweeper, 1, accounts).await;
        server
    }

    pub(crate) async fn at(address: &str) -> Result<Self, web::Error> {
        Self::start(address, false).await
    }

    /// A server where others reach it, which takes a token.
    pub(crate) async fn on_the_network() -> (Self, String) {
        let server = Self::start("0.0.0.0", true).await.unwrap();
        world::sweep(&server.sweeper, 0, 2).await;
        (server, operator_token().reveal().to_owned())
    }

    async fn start(address: &str, has_token: bool) -> Result<Self, web::Error> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("scanner.db");
        let sweeper = Store::open_sweeper(&path).await.unwrap();
        let journal = || async { Store::open_journal(&path).await.unwrap() };
        let clock = Arc::new(FixedClock::new(
            world::noon() + SignedDuration::from_hours(24),
        ));
        let (service, end) = service_handle(world::noon());
        let mut requests = end.requests;
        let (wake, woken) = watch::channel(Vec::new());
        // The service at the other end, as far as the API sees it.
        tokio::spawn(async move {
            while let Some(request) = requests.recv().await {
                match request {
                    ServiceRequest::Sweep(_, answer) => {
                        let _ = answer.send(Ok(SweepRequested::Queued));
                    }
                    ServiceRequest::Reload(answer) => {
                        let _ = answer.send(Ok(()));
                    }
                    ServiceRequest::Wake(task) => wake.send_modify(|woken| woken.push(task)),
                }
            }
        });
        let state = State::new(StateParts {
            store: Store::open_reader(&path).await.unwrap(),
            journal: journal().await,
            service,
            clock: clock.clone(),
            access: AccessSettings::default(),
            render_metrics: Arc::new(|| "scanner_up 1\n".to_owned()),
        })?;
        let journal = journal().await;
        if has_token {
            let token = operator_token();
            add(&journal, "operator", TokenRole::Operator, &token, None).await;
        }
        let listener = TcpListener::bind((address, 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let stop = CancellationToken::new();
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        let mut task = tokio::spawn(web::serve(listener, state, stop.clone()));
        tokio::select! {
            refused = &mut task => return Err(refused.unwrap().unwrap_err()),
            () = answers(address) => {}
        }
        Ok(Self {
            address,
            clock,
            sweeper,
            journal,
            status: end.status,
            events: end.events,
            stop,
            woken,
            task,
            _folder: folder,
        })
    }

    pub(crate) async fn ask(&self, ask: &Ask) -> Answer {
        ask.send(self.address).await
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.ask(&Ask::get(path)).await
    }

    /// Makes a token that is taken.
    pub(crate) async fn token(
        &self,
        name: &str,
        role: TokenRole,
        expires: Option<Timestamp>,
    ) -> String {
        let mut random = [u8::try_from(name.len()).unwrap(); 36];
        for (to, from) in random.iter_mut().zip(name.bytes()) {
            *to = from;
        }
        let token = FreshToken::of(&random);
        add(&self.journal, name, role, &token, expires).await;
        token.reveal().to_owned()
    }

    /// Says that the service is ready.
    pub(crate) fn is_ready(&self) {
        self.status
            .send_modify(|status| Arc::make_mut(status).is_ready = true);
    }

    /// Stops it, and sees it end.
    pub(crate) async fn end(self) {
        self.stop.cancel();
        let ended = tokio::time::timeout(PATIENCE, self.task).await;
        ended.expect("it ends").unwrap().unwrap();
    }
}

/// Until somebody answers there.
async fn answers(address: SocketAddr) {
    loop {
        if let Ok(mut stream) = TcpStream::connect(address).await {
            let mut bytes = Vec::new();
            let _ = stream.write_all(&Ask::get("/healthz").bytes()).await;
            let _ = stream.read_to_end(&mut bytes).await;
            if bytes.starts_with(b"HTTP/1.1 200") {
                return;
            }
        }
    }
}

fn operator_token() -> FreshToken {
    FreshToken::of(&[42; 36])
}

async fn add(
    journal: &Journal,
    name: &str,
    role: TokenRole,
    token: &FreshToken,
    expires_at: Option<Timestamp>,
) {
    let token = TokenToAdd {
        name: name.to_owned(),
        role,
        prefix: token.prefix().to_owned(),
        hash: token.hash(),
        expires_at,
    };
    assert!(journal.add_token(world::noon(), &token).await.unwrap());
}
