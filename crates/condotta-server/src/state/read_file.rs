//! Reads one file of a state directory into a [`Reading`]: a snapshot or a segment of the journal.
//! Knows nothing of the other files.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::{
    block::{self, Blocks, Kind, Next},
    error::{StateError, Tried as _},
    files::{FORMAT, Header, Role},
    frame::{self, BadFrame},
    read::{Cut, Reading, StateFile, newer},
};

/// The content of a snapshot's last block.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct SnapshotEnd {
    /// How many blocks stand between the first and the last.
    pub(super) blocks: u64,
}

/// Reads one file.
pub(super) struct FileReader<'a> {
    reading: &'a mut Reading,
    path: &'a Path,
    role: Role,
    number: u64,
    /// Whether its end may be an unfinished write.
    pub(super) may_be_torn: bool,
    name: String,
    blocks: Blocks,
    header: Option<Header>,
    /// Blocks of transactions so far.
    count: u64,
    has_ended: bool,
    /// Where the mark of a journal that was closed stands.
    closed_at: Option<u64>,
}

impl<'a> FileReader<'a> {
    pub(super) fn new(
        reading: &'a mut Reading,
        path: &'a Path,
        role: Role,
        number: u64,
    ) -> Result<Self, StateError> {
        let blocks = Blocks::open(path).tried("read", path)?;
        let name = role.file_name(number);
        reading.files.push(StateFile {
            name: name.clone(),
            bytes: blocks.length(),
            transactions: 0,
            is_snapshot: role == Role::Snapshot,
        });
        Ok(Self {
            reading,
            path,
            role,
            number,
            may_be_torn: false,
            name,
            blocks,
            header: None,
            count: 0,
            has_ended: false,
            closed_at: None,
        })
    }

    /// Reads the whole file. Its length without a torn end or a mark, and what its header says of the file
    /// before.
    pub(super) fn read(&mut self) -> Result<(u64, Option<u64>), StateError> {
        while self.step()? {}
        let length = match &self.reading.torn {
            Some(torn) if torn.file == self.name => torn.offset,
            _ => self.closed_at.unwrap_or(self.blocks.length()),
        };
        if self.header.is_none() && self.reading.damages.is_empty() {
            self.damage(0, "the file is empty")?;
        }
        if self.role == Role::Snapshot && !self.has_ended {
            self.damage(length, "the snapshot has no end")?;
        }
        let previous_bytes = self
            .header
            .as_ref()
            .and_then(|header| header.previous_bytes);
        Ok((length, previous_bytes))
    }

    /// Reads one block; whether there may be more.
    fn step(&mut self) -> Result<bool, StateError> {
        let (kind, at, content) = match self.blocks.next().tried("read", self.path)? {
            Next::End => return Ok(false),
            Next::Bad { at, why } => return self.pass_over(at, &why.to_string()),
            Next::Block {
                kind,
                content_at,
                content,
            } => (kind, content_at, content),
        };
        match kind {
            Kind::Header if self.header.is_none() && self.count == 0 => {
                self.read_header(&content)?
            }
            Kind::Transactions if !self.has_ended => {
                self.count += 1;
                self.read_transactions(at, &content)?;
            }
            Kind::End if self.role == Role::Snapshot && !self.has_ended => {
                self.read_end(at, &content)?;
            }
            // The next start removes the mark before it writes.
            Kind::Closed if self.may_be_torn && self.header.is_some() && !self.has_ended => {
                self.has_ended = true;
                self.closed_at = Some(at - block::HEAD as u64);
            }
            _ => self.damage(at, "a block that does not belong here")?,
        }
        self.blocks.reuse(content);
        Ok(true)
    }

    fn read_header(&mut self, content: &[u8]) -> Result<(), StateError> {
        let header: Header = match serde_json::from_slice(content) {
            Ok(header) => header,
            Err(error) => return self.damage(0, &format!("its header is not understood: {error}")),
        };
        if header.format > FORMAT {
            return Err(newer(self.path.to_owned(), header.format));
        }
        if header.condotta != self.role || header.number != self.number {
            let really = header.condotta.file_name(header.number);
            self.damage(0, &format!("the file is really {really}"))?;
        }
        self.header = Some(header);
        Ok(())
    }

    fn read_end(&mut self, at: u64, content: &[u8]) -> Result<(), StateError> {
        self.has_ended = true;
        match serde_json::from_slice::<SnapshotEnd>(content) {
            Ok(end) if end.blocks == self.count => Ok(()),
            Ok(end) => {
                let what = format!("{} blocks of {} are here", self.count, end.blocks);
                self.damage(at, &what)
            }
            Err(error) => self.damage(at, &format!("its end is not understood: {error}")),
        }
    }

    fn read_transactions(&mut self, at: u64, content: &[u8]) -> Result<(), StateError> {
        if self.header.is_none() {
            self.damage(0, "the file has no header")?;
        }
        let mut rest = content;
        while !rest.is_empty() {
            let offset = at + (content.len() - rest.len()) as u64;
            let Err(why) = self.reading.apply(&mut rest) else {
                continue;
            };
            self.damage(offset, &why.to_string())?;
            if !matches!(why, BadFrame::Text(_)) {
                self.salvage(rest);
                break;
            }
        }
        Ok(())
    }

    /// Deals with what is no block: an unfinished write, or damage, which reading goes on behind.
    fn pass_over(&mut self, at: u64, why: &str) -> Result<bool, StateError> {
        let rest = self.blocks.rest(at).tried("read", self.path)?;
        let next = block::find(&rest);
        let is_open = self.may_be_torn && self.header.is_some() && !self.has_ended;
        if next.is_none() && is_open && !block::is_damaged_mark(&rest) {
            self.reading.torn = Some(Cut {
                file: self.name.clone(),
                offset: at,
                bytes: rest.len() as u64,
                is_unfinished: is_unfinished(&rest),
            });
            return Ok(false);
        }
        self.damage(at, why)?;
        self.salvage(&rest[..next.unwrap_or(rest.len())]);
        let Some(next) = next else {
            return Ok(false);
        };
        let next = self.blocks.go_to(at + next as u64);
        next.tried("read", self.path)?;
        Ok(true)
    }

    /// Takes the whole transactions out of a damaged stretch.
    fn salvage(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            match self.reading.apply(&mut bytes) {
                Ok(()) | Err(BadFrame::Text(_)) => {}
                Err(_) => bytes = &bytes[1..],
            }
        }
    }

    fn damage(&mut self, offset: u64, what: &str) -> Result<(), StateError> {
        self.reading.damage(&self.name, offset, what)
    }
}

/// Whether a write cannot have come to its end. Its length alone does not say so, since a bit of
/// the length may have flipped: then whole transactions reach to the end of the file.
fn is_unfinished(rest: &[u8]) -> bool {
    let content = block::started(rest);
    content.is_some_and(|content| content.is_empty() || frame::are_unfinished(content))
}
