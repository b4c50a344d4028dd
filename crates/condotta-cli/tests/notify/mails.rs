//! E-mail of the server, beside luigid's.

use serde_json::json;

use crate::{
    metrics,
    postman::{Arrived, Postman, sections, unsent},
    processes::{Kind, Place},
    story::Story,
};

/// What an operator's filter sees, without what differs from run to run.
fn seen(mails: Vec<Arrived>) -> Vec<Arrived> {
    let traces = |body: &str| -> String {
        // The trace of a failed check runs through the worker; its last lines are the error.
        let lines = body.lines().filter(|line| !line.starts_with("        "));
        lines.collect::<Vec<&str>>().join("\n")
    };
    mails
        .into_iter()
        .map(|mail| Arrived {
            body: traces(&mail.body),
            ..mail
        })
        .collect()
}

fn batch_mails(kind: Kind, more: &str) -> Vec<Arrived> {
    let place = Place::new();
    let folder = Place::new();
    let postman = Postman::start(&folder, json!({}));
    let config = format!(
        "batch_emails = true\nretry_count = 1\n{}",
        sections(postman.port, more)
    );
    let mut story = Story::new(place, kind, &config);
    // In this order, which would be anybody's choice within one run.
    for words in ["Load --day 0", "Load --day 1", "Unclear"] {
        story.run(words);
    }
    // Both send what they have when they stop.
    let ended = story.restart();
    let mails = postman.mails();
    assert_eq!(mails.len(), 2, "{ended:?} {mails:#?}");
    mails
}

/// The same failures, told by luigid and by us: subjects, recipients and bodies are the same.
#[test]
fn batches_of_failures_are_told_in_luigids_words() {
    for more in [
        "[batch_email]\nbatch_mode = family\nerror_lines = 1\n",
        "[batch_email]\nbatch_mode = all\nerror_messages = 2\ngroup_by_error_messages = false\n",
    ] {
        let theirs = seen(batch_mails(Kind::Stock, more));
        let ours = seen(batch_mails(Kind::Ours, more));
        assert_eq!(ours, theirs, "{more}");
        assert_eq!(ours[1].to, ["owner@example.com"]);
        assert_eq!(
            ours[1].subject,
            "Luigi: Your tasks have 2 failures, 2 disables in the last 60 minutes"
        );
        assert_eq!(
            ours[0].subject,
            "Luigi: 2 failures, 2 disables, 1 scheduling failure in the last 60 minutes"
        );
        assert!(ours[0].body.contains("<broke>"), "{}", ours[0].body);
    }
}

/// Where luigid shows hidden parameters, and HTML as tasks have it, we do not.
#[test]
fn batches_show_public_parameters_and_no_html_of_tasks() {
    let html = "[email]\nformat = html\nreceiver = ops@example.com\n";
    let place = Place::new();
    let postman = Postman::start(&place, json!({}));
    let port = postman.port;
    let config = format!("batch_emails = true\n{html}[smtp]\nhost = 127.0.0.1\nport = {port}\n");
    let mut story = Story::new(Place::new(), Kind::Ours, &config);
    story.run("Load --day 1");
    story.restart();
    let mails = postman.wait_for(2);
    for mail in &mails {
        assert_eq!(
            (mail.kind.as_str(), mail.r#type.as_str()),
            ("text/html", "multipart/related")
        );
        assert!(
            mail.body.contains("<li>Load(day=1) (1 failure)"),
            "{}",
            mail.body
        );
        assert!(mail.body.contains("day 1 &lt;broke&gt;"), "{}", mail.body);
        for hidden in ["hidden-value", "private-value"] {
            assert!(!mail.body.contains(hidden), "{}", mail.body);
        }
    }
}

fn disabled_mail(kind: Kind) -> Arrived {
    let folder = Place::new();
    let postman = Postman::start(&folder, json!({}));
    let config = format!(
        "retry_count = 1\ndisable_window = 100\n{}",
        sections(postman.port, "")
    );
    let story = Story::new(Place::new(), kind, &config);
    story.run("Load --day 1");
    postman.wait_for(1).remove(0)
}

#[test]
fn a_disabled_task_is_told_at_once_in_luigids_words() {
    let ours = disabled_mail(Kind::Ours);
    assert_eq!(ours, disabled_mail(Kind::Stock));
    assert!(
        ours.body.ends_with(
            " failed 1 times in the last 100 seconds, so it is being disabled for 86400 seconds"
        ),
        "{ours:?}"
    );
}

/// TLS and a login; the password is nowhere in what the server says.
#[test]
fn mail_servers_with_tls_and_logins_are_used() {
    for (wanted, more) in [
        (
            json!({"starttls": true, "user": "me", "password": "hunter2"}),
            "username = me\npassword = hunter2\nca_file = CA\n",
        ),
        (
            json!({"ssl": true, "user": "me", "password": "hunter2"}),
            "username = me\npassword = hunter2\nssl = true\nca_file = CA\n",
        ),
        // Without a password to lose, any certificate will do, as in Luigi.
        (json!({"starttls": true}), ""),
    ] {
        let folder = Place::new();
        let postman = Postman::start(&folder, wanted.clone());
        let ca = folder.path("ca.pem").display().to_string();
        let config = format!(
            "retry_count = 1\n{}",
            sections(postman.port, &more.replace("CA", &ca))
        );
        let story = Story::new(Place::new(), Kind::Ours, &config);
        story.run("Load --day 1");
        let mail = postman.wait_for(1).remove(0);
        assert!(mail.tls, "{wanted}");
        assert_eq!(mail.login, wanted.get("user").is_some(), "{wanted}");
        assert!(!story.log().contains("hunter2"), "{}", story.log());
    }
}

/// A login is not sent to a server that cannot prove who it is.
#[test]
fn a_password_goes_to_nobody_who_cannot_prove_himself() {
    let folder = Place::new();
    let wanted = json!({"ssl": true, "user": "me", "password": "hunter2"});
    let postman = Postman::start(&folder, wanted);
    let more = "username = me\npassword = hunter2\nssl = true\n";
    let config = format!("retry_count = 1\n{}", sections(postman.port, more));
    let story = Story::new(Place::new(), Kind::Ours, &config);
    story.run("Load --day 1");
    crate::processes::wait_until("it is said why no mail goes", || {
        story.log().contains("could not be sent") && story.log().contains("certificate")
    });
    assert_eq!(postman.mails(), []);
    assert!(!story.log().contains("hunter2"), "{}", story.log());
}

/// A mail that cannot be sent waits on disk, also while the server is not there.
#[test]
fn unsent_mail_survives_the_server_and_goes_when_it_can() {
    let folder = Place::new();
    let mut postman = Postman::start(&folder, json!({}));
    postman.go();
    let place = Place::new();
    let config = format!("retry_count = 1\n{}", sections(postman.port, ""));
    let state = place.path("state");
    let config = format!("state_dir = {}\n{config}", state.display());
    let mut story = Story::new(place, Kind::Ours, &config);
    story.run("Load --day 1");
    crate::processes::wait_until("it was tried", || {
        story.log().contains("could not be sent through localhost")
    });
    assert_eq!(unsent(&state), 1);
    let ended = story.restart();
    ended.says("1 mails are unsent; they will be sent after the next start");
    story.kill();
    assert_eq!((postman.mails(), unsent(&state)), (vec![], 1));
    postman.come();
    let mail = postman.wait_for(1).remove(0);
    assert!(
        mail.subject.starts_with("Luigi Scheduler: DISABLED Load"),
        "{mail:?}"
    );
    crate::processes::wait_until("it is not kept any more", || unsent(&state) == 0);
}

#[test]
fn a_mail_server_that_refuses_is_asked_again_unless_it_means_it() {
    let folder = Place::new();
    let mut postman = Postman::start(&folder, json!({"refuse": "451 not now"}));
    let config = format!("retry_count = 1\n{}", sections(postman.port, ""));
    let story = Story::new(Place::new(), Kind::Ours, &config);
    story.run("Load --day 1");
    crate::processes::wait_until("it was refused", || story.log().contains("not now"));
    postman.refuse(None);
    postman.wait_for(1);
    postman.refuse(Some("554 never"));
    story.run("Load --day 2");
    crate::processes::wait_until("it was given up", || {
        story.log().contains("is given up") && story.log().contains("never")
    });
    assert_eq!(postman.mails().len(), 1);
}

/// The scheduler answers while the mail server says nothing at all, and mails beyond the bound are dropped.
#[test]
fn a_silent_mail_server_holds_up_nobody_and_the_queue_is_bounded() {
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = silent.local_addr().unwrap().port();
    let config = format!(
        "retry_count = 1\n[email]\nreceiver = ops@example.com\nmax_queue = 2\n\
         [smtp]\nhost = 127.0.0.1\nport = {port}\ntimeout = 600\n"
    );
    let story = Story::new(Place::new(), Kind::Ours, &config);
    for day in 0..5 {
        let task = json!({"worker": "w", "task_id": format!("Load_{day}"), "family": "Load",
                          "params": {"day": day.to_string()}, "status": "FAILED", "owners": []});
        story.server.rpc.call("add_task", &task);
    }
    crate::processes::wait_until("some are dropped", || {
        let text = story.server.rpc.get("/metrics").unwrap().body;
        let value = |name: &str| metrics::value(&text, name);
        let dropped = value("condotta_mails_dropped_total");
        dropped >= 2.0 && dropped + value("condotta_mails_queued") == 5.0
    });
    assert!(
        story.log().contains("further ones are dropped"),
        "{}",
        story.log()
    );
}

#[test]
fn a_method_that_is_not_there_is_refused_at_the_start() {
    let place = Place::new();
    place.write(
        "luigi.cfg",
        "[email]\nreceiver = a@example.com\nmethod = sendgrid\n",
    );
    let mut command = place.command(env!("CARGO_BIN_EXE_condotta"));
    command.args(["scheduler", "--port", "0"]);
    let ended = place.start("server", &mut command).end().with_code(1);
    ended.says("[email] method is sendgrid: write smtp, the one way");
}
