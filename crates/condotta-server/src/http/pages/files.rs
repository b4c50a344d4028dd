//! The files of the web page, which are part of the program. They are built from the folder `ui`, and hold
//! nothing that not everybody may see.

use axum::http::HeaderValue;

/// A file of the page.
pub(super) struct File {
    /// Its path at the server.
    pub(super) path: &'static str,
    pub(super) bytes: &'static [u8],
    pub(super) content_type: HeaderValue,
}

macro_rules! file {
    ($path:literal, $name:literal, $content_type:literal) => {
        File {
            path: $path,
            bytes: include_bytes!(concat!("../../../page/", $name)),
            content_type: HeaderValue::from_static($content_type),
        }
    };
}

/// All of them; the first is the document that loads the others.
pub(super) static FILES: [File; 5] = [
    file!("/", "index.html", "text/html; charset=UTF-8"),
    file!("/index.js", "index.js", "text/javascript; charset=UTF-8"),
    file!("/index.css", "index.css", "text/css; charset=UTF-8"),
    file!(
        "/layout.worker.js",
        "layout.worker.js",
        "text/javascript; charset=UTF-8"
    ),
    file!("/icon.svg", "icon.svg", "image/svg+xml"),
];

/// Whether a file of the page is at this path.
pub(crate) fn is_file(path: &str) -> bool {
    FILES.iter().any(|file| file.path == path)
}
