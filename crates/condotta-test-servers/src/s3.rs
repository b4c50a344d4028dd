//! An S3 server over a folder, which checks signatures: `s3-server FOLDER ID SECRET [PORT]`.
//!
//! It listens on loopback, says its port in a line, and runs until it is killed. All it does is s3s-fs's,
//! but for two things in which S3 is otherwise. Objects are files there, and asked for a name that is a folder
//! it answers 500: to S3 such a name is no object, and is answered 404. And what is put into a bucket that is
//! not there makes that bucket: S3 answers NoSuchBucket.

use std::{env, error::Error, io::Write, path::PathBuf};

use hyper::{Method, Request, Response, StatusCode, body::Incoming, service::service_fn};
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto::Builder,
};
use s3s::{auth::SimpleAuth, service::S3ServiceBuilder};
use s3s_fs::FileSystem;
use tokio::net::TcpListener;

const NO_BUCKET: &str = "<?xml version=\"1.0\"?><Error><Code>NoSuchBucket</Code><Message>no such bucket</Message></Error>";

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = env::args().skip(1);
    let mut next = || {
        arguments
            .next()
            .ok_or("usage: s3-server FOLDER ID SECRET [PORT]")
    };
    let (folder, id, secret) = (next()?, next()?, next()?);
    let port = next().map_or(Ok(0), |port| port.parse())?;

    let files = FileSystem::new(&folder).map_err(|error| format!("{error:?}"))?;
    let mut service = S3ServiceBuilder::new(files);
    service.set_auth(SimpleAuth::from_single(id, secret));
    let service = service.build();

    let listener = TcpListener::bind(("127.0.0.1", port)).await?;
    println!("PORT {}", listener.local_addr()?.port());
    std::io::stdout().flush()?;
    loop {
        let (socket, _) = listener.accept().await?;
        let (service, folder) = (service.clone(), PathBuf::from(&folder));
        let answer = service_fn(move |request: Request<Incoming>| {
            let is_folder = request
                .uri()
                .query()
                .is_none_or(|query| query == "x-id=GetObject")
                && matches!(*request.method(), Method::GET | Method::HEAD)
                && folder.join(name(request.uri().path())).is_dir();
            let bucket = name(request.uri().path());
            let bucket = bucket
                .split_once('/')
                .map(|(bucket, _)| folder.join(bucket));
            let no_bucket = bucket.is_some_and(|bucket| !bucket.is_dir());
            let service = service.clone();
            async move {
                if no_bucket && matches!(*request.method(), Method::PUT | Method::POST) {
                    let mut response = Response::new(s3s::Body::from(NO_BUCKET.to_owned()));
                    *response.status_mut() = StatusCode::NOT_FOUND;
                    return Ok(response);
                }
                let mut response = service.call(request.map(s3s::Body::from)).await?;
                if is_folder && response.status() == StatusCode::INTERNAL_SERVER_ERROR {
                    *response.status_mut() = StatusCode::NOT_FOUND;
                }
                Ok::<_, s3s::HttpError>(response)
            }
        });
        tokio::spawn(async move {
            let server = Builder::new(TokioExecutor::new());
            // A client that goes away is its own affair.
            let _ = server.serve_connection(TokioIo::new(socket), answer).await;
        });
    }
}

/// The file of a request's path.
fn name(path: &str) -> String {
    let path = path.trim_start_matches('/');
    percent_encoding::percent_decode_str(path)
        .decode_utf8_lossy()
        .into_owned()
}
