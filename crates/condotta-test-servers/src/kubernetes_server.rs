//! A stand-in for a Kubernetes cluster: `kubernetes-server KUBECONFIG`.
//!
//! It listens on loopback, writes how it is found, and answers until its standard input ends.

use std::{io, path::Path};

use condotta_test_servers::kubernetes::Server;

fn main() {
    let path = std::env::args_os().nth(1);
    let path = path.expect("usage: kubernetes-server KUBECONFIG");
    Server::start().write_kubeconfig(Path::new(&path));
    let _ = io::copy(&mut io::stdin(), &mut io::sink());
}
