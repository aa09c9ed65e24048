//! The server as its user sees it: bind, start, stop, counters, hand-over.

use std::io;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{Builder, JoinHandle};

use super::bind::{self, Sockets};
use super::counters::{self, Cells, Counter, Tally};
use super::handover::Handover;
use super::tcp::Listener;
use super::tcp::mailbox::Mailbox;
use super::{Responder, Settings, Tls, sys, tcp, udp};

/// Sockets and serving threads. Dropping it stops them.
#[derive(Debug)]
pub struct Server {
    addresses: Vec<SocketAddr>,
    tls_addresses: Vec<SocketAddr>,
    settings: Settings,
    /// Bound, and waiting for `start`.
    sockets: Vec<Sockets>,
    tls_listeners: Vec<Vec<OwnedFd>>,
    tls: Arc<Tls>,
    handover: Arc<Handover>,
    running: Running,
    cells: Vec<Arc<Cells>>,
}

/// The threads, and what makes them stop.
#[derive(Debug, Default)]
struct Running {
    stop: Arc<AtomicBool>,
    udp_sockets: Vec<Arc<OwnedFd>>,
    mailboxes: Vec<Arc<Mailbox>>,
    threads: Vec<JoinHandle<()>>,
}

impl Server {
    /// Binds UDP and TCP on every address of `listen`, and TLS on every one of `listen_tls`.
    ///
    /// # Errors
    /// What the system says, with the address that cannot be bound; `AddrInUse` also when another process serves there.
    pub fn bind(listen: &[SocketAddr], listen_tls: &[SocketAddr], settings: Settings) -> io::Result<Self> {
        let workers = settings.workers.max(1);
        let sockets: Vec<_> =
            listen.iter().map(|&address| bind::bind(address, workers)).collect::<io::Result<_>>()?;
        let for_tls: Vec<_> =
            listen_tls.iter().map(|&address| bind::bind_tls(address, workers)).collect::<io::Result<_>>()?;
        let (tls_addresses, tls_listeners) = for_tls.into_iter().unzip();
        Ok(Self {
            addresses: sockets.iter().map(|sockets| sockets.address).collect(),
            tls_addresses,
            handover: Arc::new(Handover::new(settings.handover_queue)?),
            settings,
            sockets,
            tls_listeners,
            tls: Arc::default(),
            running: Running::default(),
            cells: Vec::new(),
        })
    }

    /// What is bound for UDP and TCP, ports filled in, in the order asked for.
    #[must_use]
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// What is bound for TLS, ports filled in, in the order asked for.
    #[must_use]
    pub fn tls_addresses(&self) -> &[SocketAddr] {
        &self.tls_addresses
    }

    /// Where the certificate for TLS is set, at any time.
    #[must_use]
    pub fn tls(&self) -> &Arc<Tls> {
        &self.tls
    }

    /// The queue of requests that the responders hand over. It outlives the server.
    #[must_use]
    pub fn handover(&self) -> &Arc<Handover> {
        &self.handover
    }

    /// Starts the serving threads, each with a responder of its own. A server starts once: later calls do nothing.
    ///
    /// # Errors
    /// What the system says if it has no room for the threads; none is left running then.
    pub fn start<R, F>(&mut self, make_responder: F) -> io::Result<()>
    where
        R: Responder,
        F: Fn() -> R + Send + Sync + 'static,
    {
        let started = self.start_threads(&Arc::new(make_responder));
        if started.is_err() {
            self.stop();
        }
        started
    }

    fn start_threads<R, F>(&mut self, make_responder: &Arc<F>) -> io::Result<()>
    where
        R: Responder,
        F: Fn() -> R + Send + Sync + 'static,
    {
        let sockets = std::mem::take(&mut self.sockets);
        // A server that was stopped has no sockets, and starts no threads.
        let bound = sockets.iter().map(|sockets| &sockets.tcp).chain(&self.tls_listeners).next();
        let workers = bound.map_or(0, Vec::len);
        let mut listeners: Vec<Vec<Listener>> = (0..workers).map(|_| Vec::new()).collect();
        for Sockets { address, udp, tcp } in sockets {
            for (worker, socket) in udp.into_iter().enumerate() {
                self.start_udp(worker, socket, address, Arc::clone(make_responder))?;
            }
            for (listeners, socket) in listeners.iter_mut().zip(tcp) {
                listeners.push(Listener { socket, tls: None });
            }
        }
        for sockets in std::mem::take(&mut self.tls_listeners) {
            for (listeners, socket) in listeners.iter_mut().zip(sockets) {
                listeners.push(Listener { socket, tls: Some(Arc::clone(&self.tls)) });
            }
        }
        for (worker, listeners) in listeners.into_iter().enumerate() {
            self.start_tcp(worker, listeners, Arc::clone(make_responder))?;
        }
        Ok(())
    }

    fn start_udp<R, F>(&mut self, worker: usize, socket: OwnedFd, address: SocketAddr, make: Arc<F>) -> io::Result<()>
    where
        R: Responder,
        F: Fn() -> R + Send + Sync + 'static,
    {
        let socket = Arc::new(socket);
        self.running.udp_sockets.push(Arc::clone(&socket));
        let (settings, tally) = (self.settings.clone(), self.new_tally());
        let (handover, stop) = (Arc::clone(&self.handover), Arc::clone(&self.running.stop));
        self.running.spawn(format!("oakroot-udp-{worker}"), move || {
            // Made here and not before, so that its memory is close to the core that uses it.
            udp::Worker::new(socket, address, &settings, tally, handover, stop).run(&*make);
        })
    }

    fn start_tcp<R, F>(&mut self, worker: usize, listeners: Vec<Listener>, make: Arc<F>) -> io::Result<()>
    where
        R: Responder,
        F: Fn() -> R + Send + Sync + 'static,
    {
        let mailbox = Arc::new(Mailbox::new()?);
        let shared = tcp::Surroundings {
            tally: self.new_tally(),
            handover: Arc::clone(&self.handover),
            mailbox: Arc::clone(&mailbox),
            stop: Arc::clone(&self.running.stop),
        };
        let worker_state = tcp::Worker::new(listeners, &self.settings, shared)?;
        self.running.mailboxes.push(mailbox);
        self.running.spawn(format!("oakroot-tcp-{worker}"), move || worker_state.run(&*make))
    }

    fn new_tally(&mut self) -> Tally {
        let (tally, cells) = Tally::new();
        self.cells.push(cells);
        tally
    }

    /// What was counted so far, by name: see [`super::Counter::TABLE`].
    #[must_use]
    pub fn counters(&self) -> Vec<(String, u64)> {
        let mut totals = counters::totals(&self.cells.iter().map(|cells| &**cells));
        // Replies are sent by whoever took the request, who has no cells.
        totals[Counter::UdpSendErrors as usize].1 += self.handover.send_errors();
        totals
    }

    /// Ends the threads and closes the sockets and connections. Answers being written are lost; requests that were
    /// handed over can still be taken, but replies to them go nowhere.
    pub fn stop(&mut self) {
        self.sockets.clear();
        self.tls_listeners.clear();
        std::mem::take(&mut self.running).end();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Running {
    fn spawn(&mut self, name: String, body: impl FnOnce() + Send + 'static) -> io::Result<()> {
        let thread = Builder::new().name(name).spawn(move || {
            sys::block_signals();
            body();
        })?;
        self.threads.push(thread);
        Ok(())
    }

    fn end(self) {
        self.stop.store(true, Ordering::Release);
        for socket in &self.udp_sockets {
            sys::end_receiving(socket);
        }
        for mailbox in &self.mailboxes {
            mailbox.wake();
        }
        for thread in self.threads {
            // A panic was printed by its thread; there is nothing left to do for it.
            drop(thread.join());
        }
    }
}
