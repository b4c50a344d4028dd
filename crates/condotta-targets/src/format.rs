//! How content is put into bytes: as it is, or compressed.
//!
//! Streams of several members, as `cat a.gz b.gz` makes them, are read whole. A stream that ends too
//! early is an error, be it that nothing is left of it. Knows nothing of files.

use std::{
    io::{self, BufRead, BufReader, Read, Write},
    path::Path,
};

/// How a target's content is stored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Format {
    /// As it is: text and bytes alike.
    #[default]
    Plain,
    /// gzip, `.gz`.
    Gzip,
    /// bzip2, `.bz2`.
    Bzip2,
    /// Zstandard, `.zst`.
    Zstd,
    /// xz, `.xz`.
    Xz,
}

impl Format {
    /// The format that a file's extension names; [`Plain`](Self::Plain) when it names none.
    pub fn of_extension(path: &Path) -> Self {
        match path.extension().and_then(|extension| extension.to_str()) {
            Some("gz") => Self::Gzip,
            Some("bz2") => Self::Bzip2,
            Some("zst") => Self::Zstd,
            Some("xz") => Self::Xz,
            _ => Self::Plain,
        }
    }

    pub(crate) fn encoder<W: Write>(self, sink: W) -> io::Result<Encoder<W>> {
        const XZ_LEVEL: u32 = 6;
        Ok(match self {
            Self::Plain => Encoder::Plain(sink),
            Self::Gzip => Encoder::Gzip(Box::new(flate2::write::GzEncoder::new(
                sink,
                flate2::Compression::default(),
            ))),
            Self::Bzip2 => Encoder::Bzip2(Box::new(bzip2::write::BzEncoder::new(
                sink,
                bzip2::Compression::best(),
            ))),
            Self::Zstd => {
                let mut encoder = zstd::Encoder::new(sink, zstd::DEFAULT_COMPRESSION_LEVEL)?;
                encoder.include_checksum(true)?;
                Encoder::Zstd(Box::new(encoder))
            }
            Self::Xz => Encoder::Xz(Box::new(liblzma::write::XzEncoder::new(sink, XZ_LEVEL))),
        })
    }

    pub(crate) fn decoder<'a>(
        self,
        mut source: impl BufRead + Send + 'a,
    ) -> io::Result<Box<dyn BufRead + Send + 'a>> {
        if self != Self::Plain && source.fill_buf()?.is_empty() {
            // Some decoders take no bytes for no content, but no encoder writes no bytes.
            return Err(io::Error::new(
                io::ErrorKind::UnexpectedEof,
                "no compressed data, but an empty file",
            ));
        }
        Ok(match self {
            Self::Plain => Box::new(source),
            Self::Gzip => buffered(flate2::bufread::MultiGzDecoder::new(source)),
            Self::Bzip2 => buffered(bzip2::bufread::MultiBzDecoder::new(source)),
            Self::Zstd => buffered(zstd::Decoder::with_buffer(source)?),
            Self::Xz => buffered(liblzma::bufread::XzDecoder::new_multi_decoder(source)),
        })
    }
}

/// The bytes of content between a decoder and its reader.
const BUFFER: usize = 64 * 1024;

fn buffered<'a>(decoder: impl Read + Send + 'a) -> Box<dyn BufRead + Send + 'a> {
    Box::new(BufReader::with_capacity(BUFFER, decoder))
}

/// Writes content in a format.
pub(crate) enum Encoder<W: Write> {
    Plain(W),
    Gzip(Box<flate2::write::GzEncoder<W>>),
    Bzip2(Box<bzip2::write::BzEncoder<W>>),
    Zstd(Box<zstd::Encoder<'static, W>>),
    Xz(Box<liblzma::write::XzEncoder<W>>),
}

impl<W: Write> Encoder<W> {
    /// Ends the stream, and gives back where it went.
    pub(crate) fn finish(self) -> io::Result<W> {
        match self {
            Self::Plain(sink) => Ok(sink),
            Self::Gzip(encoder) => encoder.finish(),
            Self::Bzip2(encoder) => encoder.finish(),
            Self::Zstd(encoder) => encoder.finish(),
            Self::Xz(encoder) => encoder.finish(),
        }
    }

    fn writer(&mut self) -> &mut dyn Write {
        match self {
            Self::Plain(sink) => sink,
            Self::Gzip(encoder) => encoder,
            Self::Bzip2(encoder) => encoder,
            Self::Zstd(encoder) => encoder,
            Self::Xz(encoder) => encoder,
        }
    }
}

impl<W: Write> Write for Encoder<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.writer().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writer().flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COMPRESSED: [Format; 4] = [Format::Gzip, Format::Bzip2, Format::Zstd, Format::Xz];

    fn encode(format: Format, content: &[u8]) -> Vec<u8> {
        let mut encoder = format.encoder(Vec::new()).expect("an encoder");
        encoder.write_all(content).expect("written");
        encoder.finish().expect("finished")
    }

    fn decode(format: Format, bytes: &[u8]) -> io::Result<Vec<u8>> {
        let mut content = Vec::new();
        format.decoder(bytes)?.read_to_end(&mut content)?;
        Ok(content)
    }

    #[test]
    fn a_stream_cut_anywhere_is_an_error() {
        let content: Vec<u8> = (0..3000_u32).flat_map(u32::to_le_bytes).collect();
        for format in COMPRESSED {
            let bytes = encode(format, &content);
            assert_eq!(decode(format, &bytes).expect("whole"), content);
            for cut in (0..bytes.len()).rev().step_by(7).chain(0..40) {
                assert!(
                    decode(format, &bytes[..cut]).is_err(),
                    "{format:?} of {} bytes cut at {cut}",
                    bytes.len()
                );
            }
        }
    }

    #[test]
    fn several_members_are_one_content() {
        for format in COMPRESSED {
            let mut bytes = encode(format, b"one ");
            let border = bytes.len();
            bytes.extend(encode(format, b""));
            bytes.extend(encode(format, b"two"));
            assert_eq!(decode(format, &bytes).expect("whole"), b"one two");
            for cut in [border + 1, bytes.len() - 1] {
                assert!(
                    decode(format, &bytes[..cut]).is_err(),
                    "{format:?} cut at {cut}"
                );
            }
        }
    }

    #[test]
    fn no_content_and_changed_bytes() {
        for format in COMPRESSED {
            let mut bytes = encode(format, b"");
            assert_eq!(decode(format, &bytes).expect("whole"), b"");
            bytes[0] ^= 1;
            assert!(decode(format, &bytes).is_err(), "{format:?}");
        }
    }

    #[test]
    fn extensions_name_formats() {
        for (name, format) in [
            ("a.gz", Format::Gzip),
            ("a.csv.bz2", Format::Bzip2),
            ("a.zst", Format::Zstd),
            ("a.xz", Format::Xz),
            ("a.txt", Format::Plain),
            ("gz", Format::Plain),
        ] {
            assert_eq!(Format::of_extension(Path::new(name)), format, "{name}");
        }
    }
}
