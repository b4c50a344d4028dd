//! What a server does beside its work costs workers: history, what tasks print, and readers of the event
//! stream. The same load on a server with all of that and on one without any, in many short turns, so that
//! the machine's mood is in neither's favour: it changes within seconds.

use std::{
    net::SocketAddr,
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use condotta_protocol::{LogFrame, LogSource};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    task::JoinSet,
    time::{Instant, sleep_until},
};

use super::{Size, load, median};
use crate::servers::{Kind, Server};

/// How many read at once.
const READERS: usize = 50;
/// How many tasks print something all the time.
const PRINTING: usize = 16;
/// How often what was printed is sent, as our workers do it.
const SEND_EVERY: Duration = Duration::from_millis(250);
/// How many workers there are, and connections.
const CONNECTIONS: usize = 16;
/// How many times the rounds of other parts there are turns here, and which part of their time each has.
const MORE_TURNS: usize = 8;
const SHORTER: f64 = 0.5;
/// Servers are started anew after so many turns: how quick one is depends on where its memory happens to lie, too.
const TURNS_OF_A_START: usize = 4;
/// No history, and nothing of what tasks print.
const ALONE: &str = "[history]\nenabled = false\n[logs]\nenabled = false\n";

/// What is measured of a kind of load on one of the servers.
#[derive(Default)]
struct Measured {
    /// Requests or tasks a second, in each turn.
    rates: Vec<f64>,
    /// Microseconds of the server's CPU time for each.
    cpu: Vec<f64>,
}

/// A kind of load: how many of it are done in a while.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Load {
    AddTask,
    WholeTask,
}

/// Requests a second, with all of that and without.
pub(super) async fn all_together(size: &Size) {
    let start = || {
        [
            Server::start_with(Kind::Condotta, ALONE),
            Server::start(Kind::Condotta),
        ]
    };
    let turns = MORE_TURNS * size.rounds;
    println!(
        "\nalone, and with history, {PRINTING} tasks that print and {READERS} readers of events; \
         {CONNECTIONS} connections, medians of {turns} turns and of their ratios"
    );
    println!(
        "{:<12}{:>12}{:>12}{:>9}{:>20}{:>12}{:>9}",
        "load", "alone, 1/s", "with, 1/s", "ratio", "alone, us of CPU", "with, us", "ratio"
    );
    for (load, name) in [(Load::AddTask, "add_task"), (Load::WholeTask, "whole task")] {
        let mut measured = [Measured::default(), Measured::default()];
        let mut told = 0;
        let mut servers = start();
        for turn in 0..turns {
            if turn > 0 && turn.is_multiple_of(TURNS_OF_A_START) {
                servers = start();
            }
            let has_all = [turn % 2 == 0, turn % 2 != 0];
            for has_all in has_all {
                let server = &servers[usize::from(has_all)];
                let beside = Beside::start(server.address, has_all, turn).await;
                let cpu = server.cpu();
                let duration = Duration::from_secs_f64(SHORTER * size.seconds);
                let started = Instant::now();
                let done = match load {
                    Load::AddTask => {
                        load::add_tasks(server.address, CONNECTIONS, duration, turn).await
                    }
                    Load::WholeTask => {
                        load::whole_tasks(server.address, CONNECTIONS, duration, turn).await
                    }
                };
                let secs = started.elapsed().as_secs_f64();
                let cpu = server.cpu().saturating_sub(cpu);
                let measured = &mut measured[usize::from(has_all)];
                measured.rates.push(done as f64 / secs);
                measured.cpu.push(cpu.as_secs_f64() * 1e6 / done as f64);
                told += beside.stop().await;
            }
        }
        show(name, &mut measured);
        println!("{:<12}the readers were sent {} MB", "", told >> 20);
    }
}

fn show(name: &str, [alone, with]: &mut [Measured; 2]) {
    let rate = median(&mut ratios(&with.rates, &alone.rates));
    let cpu = median(&mut ratios(&with.cpu, &alone.cpu));
    println!(
        "{name:<12}{:>12.0}{:>12.0}{rate:>9.2}{:>20.1}{:>12.1}{cpu:>9.2}",
        median(&mut alone.rates),
        median(&mut with.rates),
        median(&mut alone.cpu),
        median(&mut with.cpu),
    );
}

/// The ratio of each turn.
fn ratios(with: &[f64], alone: &[f64]) -> Vec<f64> {
    with.iter()
        .zip(alone)
        .map(|(with, alone)| with / alone)
        .collect()
}

/// Who reads and who prints while something is measured.
struct Beside {
    readers: JoinSet<()>,
    printing: JoinSet<()>,
}

impl Beside {
    /// Nobody, or all of them.
    async fn start(address: SocketAddr, has_all: bool, round: usize) -> Self {
        let (mut readers, mut printing) = (JoinSet::new(), JoinSet::new());
        if has_all {
            for number in 0..PRINTING {
                printing.spawn(print(address, format!("printing-{round}-{number}")));
            }
            for _ in 0..READERS {
                readers.spawn(read(open(address).await));
            }
        }
        Self { readers, printing }
    }

    /// Ends them; how much the readers got. Each got something, if there were any.
    async fn stop(mut self) -> usize {
        let had_readers = !self.readers.is_empty();
        self.printing.shutdown().await;
        self.readers.shutdown().await;
        let told = TOLD.swap(0, Ordering::Relaxed);
        assert!(
            !had_readers || told > READERS,
            "the readers were told nothing"
        );
        told
    }
}

async fn open(address: SocketAddr) -> TcpStream {
    let mut stream = TcpStream::connect(address)
        .await
        .expect("the server listens");
    let head = b"GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n";
    stream.write_all(head).await.expect("the server reads");
    let mut first = [0; 12];
    stream.read_exact(&mut first).await.expect("an answer");
    assert!(first.ends_with(b"200"), "not a success");
    stream
}

/// Reads until its task is ended.
async fn read(mut stream: TcpStream) {
    let mut buffer = vec![0; 64 << 10];
    while let Ok(read @ 1..) = stream.read(&mut buffer).await {
        TOLD.fetch_add(read, Ordering::Relaxed);
    }
}

/// How much all readers got.
static TOLD: AtomicUsize = AtomicUsize::new(0);

/// A worker whose task prints ten lines each time, and runs until this is ended.
async fn print(address: SocketAddr, worker: String) {
    let mut connection = load::Connection::open(address).await;
    let task_id = format!("Print_{worker}");
    let announcement = load::announcement(&worker, &task_id, &[]);
    connection.call("add_task", &announcement).await;
    connection.call("get_work", &load::get_work(&worker)).await;
    let path = format!("/api/v1/attempt-log?task_id={task_id}&worker={worker}");
    let mut due = Instant::now();
    for number in 1.. {
        let mut body = Vec::new();
        let text = format!("INFO: piece {number}: a line such as tasks print while they run\n");
        LogFrame {
            number,
            time_millis: 0,
            source: LogSource::Stdout,
            text: text.repeat(10).into_bytes(),
        }
        .write(&mut body);
        connection.post(&path, &body).await;
        due += SEND_EVERY;
        sleep_until(due).await;
    }
}
