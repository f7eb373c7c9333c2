use super::*;
use crate::entropy::Entropy;
use crate::signing::Signer;
use tokio::net::{TcpListener, TcpStream};

/// Far more than anything here takes.
const PATIENCE: Duration = Duration::from_secs(20);
const ENDPOINTS: u64 = 50;
/// Deliveries of one endpoint at a time.
const EACH_MAX: usize = 8;
/// Half of what endpoints would use if they could.
const OPEN_MAX: usize = 200;

/// Receivers that take forever, until somebody says otherwise.
struct Bench {
    pool: Arc<Pool>,
    listener: TcpListener,
    out: Vec<(u64, Lease, Connection)>,
    waiting: Vec<u64>,
    /// The receivers' ends.
    others: Vec<TcpStream>,
    made: usize,
}

impl Bench {
    async fn new() -> Bench {
        Bench {
            pool: Arc::new(Pool::new(OPEN_MAX, Arc::new(Counters::new()))),
            listener: TcpListener::bind("127.0.0.1:0").await.expect("a free port"),
            out: Vec::new(),
            waiting: Vec::new(),
            others: Vec::new(),
            made: 0,
        }
    }

    fn under_way(&self, seq: u64) -> usize {
        let out = self.out.iter().filter(|(of, ..)| *of == seq).count();
        out + self.waiting.iter().filter(|of| **of == seq).count()
    }

    async fn begin(&mut self, seq: u64) {
        let key = EndpointKey { account: 1, seq };
        self.pool.prepared(key, 1, || Prepared {
            revision: 1,
            target: Err(Refusal::Peer),
            signer: Signer::new(&[]),
        });
        match self.pool.take(key, true) {
            Taken::Used(lease, connection, _) => self.out.push((seq, lease, connection)),
            Taken::New(lease) => {
                self.made += 1;
                let address = self.listener.local_addr().expect("an address");
                let (stream, other) = tokio::join!(TcpStream::connect(address), self.listener.accept());
                self.others.push(other.expect("accepted").0);
                let connection = Connection {
                    stream: Stream::Plain(stream.expect("connected")),
                    peer: address.ip(),
                    born: Instant::now(),
                };
                self.out.push((seq, lease, connection));
            }
            Taken::Wait(_) => self.waiting.push(seq),
            Taken::Full => panic!("there is room"),
        }
        assert!(self.pool.open() <= OPEN_MAX);
    }

    async fn end(&mut self, at: usize) {
        let (seq, lease, connection) = self.out.swap_remove(at);
        lease.give_back(connection, None, 1);
        if let Some(waits) = self.waiting.iter().position(|of| *of == seq) {
            self.waiting.swap_remove(waits);
            self.begin(seq).await;
        }
    }
}

/// A twentieth is what may be new. Each delivery that ends makes room for one to any endpoint.
#[tokio::test]
async fn connections_are_used_again_where_there_are_not_enough_for_all() {
    const DELIVERIES: usize = 10_000;
    let (mut bench, mut entropy) = (Bench::new().await, Entropy::new(1));
    for _ in 0..DELIVERIES {
        while bench.out.len() + bench.waiting.len() >= OPEN_MAX / CONNECTIONS_PER_DELIVERY {
            let ends = entropy.between(0, bench.out.len() as u64 - 1) as usize;
            bench.end(ends).await;
        }
        let seq = loop {
            let seq = entropy.between(1, ENDPOINTS);
            if bench.under_way(seq) < EACH_MAX {
                break seq;
            }
        };
        bench.begin(seq).await;
    }
    let made = bench.made;
    assert!(made * 20 <= DELIVERIES, "{made} of {DELIVERIES} were new");
}

#[tokio::test]
async fn whoever_waits_for_a_connection_is_told_when_one_comes_free_or_ends() {
    let mut bench = Bench::new().await;
    for _ in 0..OPEN_MAX / EACH_MAX {
        for seq in 1..=EACH_MAX as u64 {
            bench.begin(seq).await;
        }
    }
    let key = EndpointKey { account: 1, seq: 1 };
    for gives_back in [true, false] {
        let Taken::Wait(freed) = bench.pool.take(key, true) else {
            panic!("everything is in use")
        };
        let at = bench.out.iter().position(|(seq, ..)| *seq == 1).expect("one of its");
        let (_, lease, connection) = bench.out.swap_remove(at);
        match gives_back {
            true => lease.give_back(connection, None, 1),
            false => drop((lease, connection)),
        }
        let told = tokio::time::timeout(PATIENCE, freed.notified()).await;
        assert!(told.is_ok(), "gives back: {gives_back}");
        match (gives_back, bench.pool.take(key, true)) {
            (true, Taken::Used(lease, connection, _)) => bench.out.push((1, lease, connection)),
            (false, Taken::New(_)) => {}
            _ => panic!("it is there now"),
        }
    }
}
