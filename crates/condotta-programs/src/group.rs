//! A process group that ends with the process that made it, however that ends.
//!
//! The group's leader is a shell that waits for the other end of a pipe to close, which the system
//! does for a process that is killed, too. Then it ends the group. While it lives, nothing else can
//! have the group's number, so a signal never meets a stranger.

use std::{
    io::{self, BufRead as _, BufReader, Write as _},
    os::unix::process::CommandExt as _,
    process::{Child, ChildStdin, Command, Stdio},
    time::Duration,
};

use nix::{
    sys::signal::{Signal, killpg},
    unistd::Pid,
};

/// Ends its own group unless it is told to leave, and goes as soon as it is alone. It does not end by what
/// is sent to all. `$1` is how many tenths of a second the others have to end.
const LEADER: &str = r#"
trap '' TERM INT HUP QUIT
others() {
    [ -r /proc/self/stat ] || return 0
    for stat in /proc/[0-9]*/stat; do
        read -r line < "$stat" || continue
        id=${line%% *}
        set -- ${line##*) }
        [ "$3" = $$ ] && [ "$id" != $$ ] && [ "$1" != Z ] && return 0
    done
    return 1
}
echo ready
asked=
while read -r word; do
    [ "$word" = leave ] && exit 0
    asked=$word
done
[ -n "$asked" ] || kill -TERM 0
left=$1
for time in 1 2 4 8 16 32 64 128 $1; do
    [ "$left" -gt 0 ] && others || break
    [ "$time" -lt "$left" ] || time=$left
    sleep $((time / 10)).$((time % 10))
    left=$((left - time))
done
kill -KILL 0
"#;

/// The group. Dropped, everybody in it is killed.
pub(crate) struct Group {
    leader: Child,
    /// Held open; none once the leader was told to leave.
    line: Option<ChildStdin>,
    id: u32,
}

impl Group {
    /// A group with nobody in it but its leader, who gives the others so long after SIGTERM.
    pub(crate) fn new(grace: Duration) -> io::Result<Self> {
        let mut leader = Command::new("/bin/sh")
            .args(["-c", LEADER, "condotta-watch"])
            .arg((grace.as_millis() / 100).to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .process_group(0)
            .current_dir("/")
            .spawn()?;
        let (line, said) = (leader.stdin.take(), leader.stdout.take());
        let id = leader.id();
        let group = Self { leader, line, id };
        let mut word = String::new();
        if let Some(said) = said {
            BufReader::new(said).read_line(&mut word)?;
        }
        match word.trim() {
            "ready" => Ok(group),
            _ => Err(io::Error::other("/bin/sh does not watch over a program")),
        }
    }

    pub(crate) fn id(&self) -> u32 {
        self.id
    }

    /// For [`CommandExt::process_group`].
    pub(crate) fn number(&self) -> i32 {
        i32::try_from(self.id).expect("process ids are small")
    }

    /// Asks everybody to end.
    pub(crate) fn ask_to_end(&mut self) {
        if let Some(line) = &mut self.line {
            // So that the leader does not ask again; one that was killed does not listen.
            let _ = line.write_all(b"asked\n");
        }
        self.signal(Signal::SIGTERM);
    }

    /// Makes everybody end, the leader too.
    pub(crate) fn kill(&self) {
        self.signal(Signal::SIGKILL);
    }

    fn signal(&self, signal: Signal) {
        // Whoever has gone needs none.
        let _ = killpg(Pid::from_raw(self.number()), signal);
    }

    /// Whether anybody but the leader is in it.
    #[cfg(target_os = "linux")]
    pub(crate) fn has_others(&self) -> bool {
        let Ok(processes) = std::fs::read_dir("/proc") else {
            return false;
        };
        let names = processes.flatten().map(|entry| entry.file_name());
        let ids = names.filter_map(|name| name.to_str()?.parse::<u32>().ok());
        ids.into_iter()
            .any(|id| id != self.id && is_alive_in(id, self.id))
    }

    /// Where processes cannot be counted, everybody has the whole time to end.
    #[cfg(not(target_os = "linux"))]
    pub(crate) fn has_others(&self) -> bool {
        true
    }

    /// Lets the leader go from a group that is empty.
    pub(crate) fn leave(mut self) {
        if let Some(mut line) = self.line.take() {
            // A leader that was killed does not listen.
            let _ = line.write_all(b"leave\n");
        }
        let _ = self.leader.wait();
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if self.line.is_none() {
            return;
        }
        self.kill();
        let _ = self.leader.wait();
    }
}

/// Whether a process is in the group and no zombie. Its line in /proc is `id (name) state parent group …`.
#[cfg(target_os = "linux")]
fn is_alive_in(id: u32, group: u32) -> bool {
    let stat = std::fs::read(format!("/proc/{id}/stat")).unwrap_or_default();
    let stat = String::from_utf8_lossy(&stat);
    let Some((_, rest)) = stat.rsplit_once(") ") else {
        return false;
    };
    let mut words = rest.split(' ');
    let state = words.next().unwrap_or("X");
    let of = words.nth(1).and_then(|group| group.parse().ok());
    of == Some(group) && !matches!(state, "Z" | "X")
}
