//! A network that can be cut: what goes through it stops, while both ends believe that it is there.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;

/// Forwards connections to an address, until it is cut, and again when it is mended.
pub(crate) struct Proxy {
    pub(crate) address: SocketAddr,
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    is_cut: Mutex<bool>,
    changed: Condvar,
}

impl State {
    /// Waits while nothing is let through.
    fn pass(&self) {
        let is_cut = self.is_cut.lock().unwrap();
        drop(self.changed.wait_while(is_cut, |is_cut| *is_cut).unwrap());
    }

    fn set(&self, is_cut: bool) {
        *self.is_cut.lock().unwrap() = is_cut;
        self.changed.notify_all();
    }
}

impl Proxy {
    pub(crate) fn to(target: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::new(State::default());
        let (target, shared) = (target.to_owned(), Arc::clone(&state));
        // Its threads end with the process of the tests.
        thread::spawn(move || {
            for near in listener.incoming().map_while(Result::ok) {
                let (target, state) = (target.clone(), Arc::clone(&shared));
                thread::spawn(move || {
                    state.pass();
                    let Ok(far) = TcpStream::connect(target) else { return };
                    let (back_from, back_to) = (far.try_clone().unwrap(), near.try_clone().unwrap());
                    let behind = Arc::clone(&state);
                    thread::spawn(move || forward(back_from, back_to, &behind));
                    forward(near, far, &state);
                });
            }
        });
        Self { address, state }
    }

    /// From here on nothing gets through, in neither direction, nor is anything closed.
    pub(crate) fn cut(&self) {
        self.state.set(true);
    }

    /// What waited goes on its way, and all that comes after it.
    pub(crate) fn mend(&self) {
        self.state.set(false);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.mend();
    }
}

fn forward(mut from: TcpStream, mut to: TcpStream, state: &State) {
    let mut bytes = vec![0; 16 * 1024];
    while let Ok(length) = from.read(&mut bytes) {
        state.pass();
        if length == 0 || to.write_all(&bytes[..length]).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Write);
    let _ = from.shutdown(Shutdown::Read);
}
