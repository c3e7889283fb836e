//! Serves the API over a store, without a service behind it: what is asked of it is taken and not done.
//!
//! For measurements of reading, and for programs that go through every address. Arguments are `name=value`:
//! `store`, `listen` (127.0.0.1:0). Says where it listens, and ends with its standard input.

#![expect(clippy::print_stdout, reason = "it says where it listens")]

use std::{collections::BTreeMap, env, error::Error, io::Read as _, net::SocketAddr, sync::Arc};

use daemon::{ServiceEnd, ServiceRequest, SweepRequested, service_handle};
use model::{Clock, SystemClock};
use store::Store;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use web::{AccessSettings, State, StateParts};

/// The allocator of the binary `scanner`.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: BTreeMap<String, String> = (env::args().skip(1))
        .filter_map(|it| {
            it.split_once('=')
                .map(|(a, b)| (a.to_owned(), b.to_owned()))
        })
        .collect();
    let path = arguments.get("store").ok_or("store=PATH is missing")?;
    let listen = arguments
        .get("listen")
        .map_or("127.0.0.1:0", String::as_str);
    let listen: SocketAddr = listen.parse()?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let (service, end) = service_handle(clock.now());
    tokio::spawn(say_yes(end));
    let store = Store::open_reader(path).await?;
    web::check_binding(listen, &store, clock.now()).await?;
    let listener = TcpListener::bind(listen).await?;
    println!("{}", listener.local_addr()?);
    let state = State::new(StateParts {
        store,
        journal: Store::open_journal(path).await?,
        service,
        clock,
        access: AccessSettings::default(),
        render_metrics: Arc::new(String::new),
    })?;
    let stop = CancellationToken::new();
    let stdin_closed = stop.clone();
    std::thread::spawn(move || {
        let _ = std::io::stdin().read_to_end(&mut Vec::new());
        stdin_closed.cancel();
    });
    web::serve(listener, state, stop).await?;
    Ok(())
}

async fn say_yes(mut end: ServiceEnd) {
    (end.status).send_modify(|status| Arc::make_mut(status).is_ready = true);
    while let Some(request) = end.requests.recv().await {
        match request {
            ServiceRequest::Sweep(_, answer) => {
                let _ = answer.send(Ok(SweepRequested::Queued));
            }
            ServiceRequest::Reload(answer) => {
                let _ = answer.send(Ok(()));
            }
            ServiceRequest::Wake(_) => {}
        }
    }
}
