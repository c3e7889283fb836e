//! What is refused, and what is taken for what.

use model::DriftKind;

use super::*;

const KEY: &str = "0123456789abcdef0123";

fn read(text: &str) -> Result<Alerting, String> {
    let file: ConfigFile = toml::from_str(text).map_err(|error| error.to_string())?;
    alerting_from(&file, |name| match name {
        "KEY" => Some(KEY.to_owned()),
        "URL" => Some("https://hooks.example.com/s3cret\n".to_owned()),
        "HTTP" => Some("http://hooks.example.com/s3cret".to_owned()),
        "SHORT" => Some("short".to_owned()),
        "EMPTY" => Some(" \n".to_owned()),
        "LINES" => Some("two\nlines".to_owned()),
        _ => None,
    })
}

fn channel(keys: &str) -> String {
    format!("[[channel]]\nname = \"a\"\n{keys}\n")
}

#[test]
fn a_mistake_names_the_channel_and_the_key_and_shows_no_secret() {
    let rows = [
        (
            "type = \"slack\"\nurl = \"https://hunter2\"",
            "instead of `url`",
        ),
        (
            "type = \"pagerduty\"\nrouting_key = \"hunter2\"",
            "`routing_key_env`",
        ),
        (
            "type = \"webhook\"\nurl = \"https://x/\"\nsecret = \"hunter2\"",
            "`secret_file`",
        ),
        ("type = \"email\"\npassword = \"hunter2\"", "`password_env`"),
        (
            "type = \"slack\"\nurl_env = \"UNSET\"",
            "`UNSET` is not set",
        ),
        ("type = \"slack\"\nurl_env = \"EMPTY\"", "is empty"),
        (
            "type = \"slack\"\nurl_env = \"LINES\"",
            "more than one line",
        ),
        ("type = \"slack\"\nurl_env = \"HTTP\"", "expected https"),
        ("type = \"slack\"\nurl_env = \"KEY\"", "it is not a URL"),
        (
            "type = \"slack\"\nurl_env = \"URL\"\nurl_file = \"x\"",
            "both given",
        ),
        (
            "type = \"slack\"\nurl_env = \"SCANNER_URL\"",
            "begin with SCANNER_",
        ),
        ("type = \"slack\"\nurl_file = \"/\"", "is not a file"),
        (
            "type = \"slack\"\nurl_file = \"/nowhere\"",
            "cannot be read",
        ),
        ("type = \"slack\"", "`url_env` or `url_file` is missing"),
        (
            "type = \"slack\"\nurl_env = \"URL\"\nhost = \"x\"",
            "`host` means nothing",
        ),
        (
            "type = \"webhook\"\nurl = \"https://x/\"\nsecret_env = \"SHORT\"",
            "at least 16",
        ),
        (
            "type = \"webhook\"\nurl = \"https://x/\"\nurl_env = \"URL\"\nsecret_env = \"KEY\"",
            "given twice",
        ),
        (
            "type = \"webhook\"\nurl = \"http://x/\"\nsecret_env = \"KEY\"",
            "expected https",
        ),
        ("type = \"sns\"", "`topic_arn` is missing"),
        (
            "type = \"sns\"\ntopic_arn = \"arn:aws:sqs:eu-west-1:111122223333:q\"",
            "of an SNS topic",
        ),
        (
            "type = \"email\"\nhost = \"x\"\nfrom = \"a\"\nto = [\"b@x\"]",
            "from: ",
        ),
        (
            "type = \"email\"\nhost = \"x\"\nfrom = \"a@x.com\"\nto = []",
            "`to` is missing",
        ),
        (
            "type = \"email\"\nhost = \"x\"\nfrom = \"a@x.com\"\nto = [\"b@x.com\"]\ntls = \"none\"",
            "on this machine",
        ),
        (
            "type = \"email\"\nhost = \"x\"\nfrom = \"a@x.com\"\nto = [\"b@x.com\"]\npassword_env = \"KEY\"",
            "`username` is missing",
        ),
        ("type = \"fax\"", "fax"),
        ("type = \"slack\"\npasword = \"hunter2\"", "pasword"),
        ("type = \"email\"\nport = \"hunter2\"", "invalid type"),
    ];
    for (keys, expected) in rows {
        let mistake = read(&channel(keys)).unwrap_err();
        assert!(mistake.contains(expected), "{keys}: {mistake}");
        assert!(mistake.contains("`a`"), "{mistake}");
        if !keys.contains("port") {
            assert!(!mistake.contains("hunter2"), "{mistake}");
        }
        assert!(
            !mistake.contains("s3cret") && !mistake.contains(KEY),
            "{mistake}"
        );
    }
}

#[test]
fn routes_go_to_channels_that_are_there() {
    let slack = channel("type = \"slack\"\nurl_env = \"URL\"");
    let rows = [
        (format!("{slack}{slack}"), "two channels are called `a`"),
        (
            format!("{slack}[[route]]\nchannels = [\"b\"]\n"),
            "`b`, which is not there; there are: a",
        ),
        (
            "[[route]]\nchannels = [\"b\"]\n".to_owned(),
            "there are: none",
        ),
        (
            format!("{slack}[[route]]\nchannels = []\n"),
            "goes to no channel",
        ),
        (
            format!("{slack}[[route]]\nchannels = [\"a\"]\nkinds = [\"x\"]\n"),
            "drift kind",
        ),
        (
            format!("{slack}[[route]]\nchannels = [\"a\"]\nmin_severity = \"loud\"\n"),
            "severity",
        ),
        (
            format!("{slack}[[route]]\nchannels = [\"a\"]\nous = [\"x\"]\n"),
            "ous",
        ),
        (
            "[alerts]\npublic_url = \"scanner\"\n".to_owned(),
            "alerts.public_url",
        ),
        (
            "[alerts]\npublic_url = \"https://me:secret@scanner.example.com\"\n".to_owned(),
            "alerts.public_url: it stands in every alert",
        ),
        (
            "[alerts]\nreminder_interval = \"5s\"\n".to_owned(),
            "at least 1m",
        ),
        ("[alerts]\ngroup_wait = \"long\"\n".to_owned(), "group_wait"),
    ];
    for (text, expected) in rows {
        let mistake = read(&text).unwrap_err();
        assert!(mistake.contains(expected), "{text}: {mistake}");
    }
}

#[test]
fn what_is_not_said_is_the_default() {
    assert_eq!(read("").unwrap(), Alerting::default());
    let slack = channel("type = \"slack\"\nurl_env = \"URL\"");
    let alone = read(&slack).unwrap();
    let route = &alone.settings.routes.0[0];
    assert_eq!(
        (route.min_severity, route.channels.as_slice()),
        (Severity::Medium, &["a".to_owned()][..])
    );
    let kinds = format!("{slack}[[route]]\nchannels = [\"a\"]\nkinds = [\"account-joined\"]\n");
    let route = &read(&kinds).unwrap().settings.routes.0[0];
    assert_eq!(
        (route.min_severity, route.kinds.as_slice()),
        (Severity::Info, &[DriftKind::AccountJoined][..])
    );
    let settings = read("[alerts]\nreminder_interval = \"0\"\ngroup_wait = \"1m\"\n")
        .unwrap()
        .settings;
    assert_eq!(settings.reminder_interval, None);
    assert_eq!(settings.group_wait.as_secs(), 60);
}

#[test]
fn a_secret_is_read_from_a_file_trimmed_and_bounded() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("url");
    let text = channel(&format!(
        "type = \"slack\"\nurl_file = \"{}\"",
        path.display()
    ));
    fs::write(&path, "  https://hooks.example.com/s3cret\n").unwrap();
    let alerting = read(&text).unwrap();
    let expected = Secret::new("https://hooks.example.com/s3cret".to_owned());
    assert_eq!(
        alerting.channels[0].settings,
        ChannelSettings::Slack(SlackSettings { url: expected })
    );
    assert!(!format!("{alerting:?}").contains("s3cret"));
    fs::write(&path, "x".repeat(20_000)).unwrap();
    assert!(read(&text).unwrap_err().contains("is larger than"));
    fs::write(&path, [0xff, 0xfe]).unwrap();
    assert!(read(&text).unwrap_err().contains("cannot be read"));
}

#[test]
fn a_mail_server_is_reached_as_its_port_is_used_to() {
    let mail = |more: &str| {
        let keys = format!(
            "type = \"email\"\nhost = \"mail.example.com\"\nfrom = \"a@x.com\"\nto = [\"b@x.com\"]\n{more}"
        );
        match read(&channel(&keys)).unwrap().channels.remove(0).settings {
            ChannelSettings::Email(settings) => settings,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!((mail("").tls, mail("").port), (SmtpTls::StartTls, 587));
    let wrapped = mail("tls = \"tls\"\nusername = \"u\"\npassword_env = \"KEY\"");
    assert_eq!((wrapped.tls, wrapped.port), (SmtpTls::Wrapped, 465));
    assert_eq!(
        wrapped.credentials,
        Some(("u".to_owned(), Secret::new(KEY.to_owned())))
    );
    assert_eq!(mail("port = 2525").port, 2525);
}
