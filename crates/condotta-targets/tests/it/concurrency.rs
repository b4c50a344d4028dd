//! Several writers at once: the last commit wins, and nothing is ever mixed.

use std::{fs, io::Write, sync::Barrier, thread};

use condotta_targets::{LocalTarget, ReadWrite, TargetError};

use crate::conformance::temporary_files;

#[test]
fn readers_see_whole_contents_only() {
    let folder = tempfile::tempdir().unwrap();
    let target = LocalTarget::new(folder.path().join("x")).fsync(false);
    let whole = |digit: u8| vec![digit; 200_000];
    target.write_bytes(whole(0)).unwrap();
    thread::scope(|scope| {
        for digit in 1..=4 {
            let target = &target;
            scope.spawn(move || {
                for _ in 0..20 {
                    target.write_bytes(whole(digit)).unwrap();
                }
            });
        }
        for _ in 0..100 {
            let bytes = target.read_bytes().unwrap();
            assert!(bytes == whole(bytes[0]));
        }
    });
    assert_eq!(temporary_files(folder.path()), 0);
}

#[test]
fn the_last_commit_wins() {
    let folder = tempfile::tempdir().unwrap();
    let target = LocalTarget::new(folder.path().join("x"));
    let (mut one, mut two) = (target.writer().unwrap(), target.writer().unwrap());
    one.write_all(b"opened first").unwrap();
    two.write_all(b"opened last").unwrap();
    two.commit().unwrap();
    assert_eq!(target.read_to_string().unwrap(), "opened last");
    one.commit().unwrap();
    assert_eq!(target.read_to_string().unwrap(), "opened first");
}

#[test]
fn of_many_renames_to_one_name_one_succeeds() {
    const THREADS: usize = 8;
    let folder = tempfile::tempdir().unwrap();
    for round in 0..20 {
        let to = folder.path().join(format!("to-{round}"));
        let start = Barrier::new(THREADS);
        let renamed = thread::scope(|scope| {
            let threads: Vec<_> = (0..THREADS)
                .map(|number| {
                    let (to, start, folder) = (&to, &start, folder.path());
                    scope.spawn(move || {
                        let from = folder.join(format!("from-{round}-{number}"));
                        let target = LocalTarget::new(from).fsync(false);
                        target.write(number).unwrap();
                        start.wait();
                        match target.rename_dont_move(to) {
                            Ok(()) => Some(number),
                            Err(TargetError::Exists { .. }) => None,
                            Err(error) => panic!("{error:?}"),
                        }
                    })
                })
                .collect();
            let results = threads.into_iter().map(|thread| thread.join().unwrap());
            results.flatten().collect::<Vec<_>>()
        });
        assert_eq!(renamed.len(), 1);
        assert_eq!(fs::read_to_string(&to).unwrap(), renamed[0].to_string());
    }
}
