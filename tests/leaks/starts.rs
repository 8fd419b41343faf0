//! Starts that fail: the sentence says what is wrong, and repeats no secret.

use std::{net::SocketAddr, process::Command};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
};

use crate::{canaries::Canaries, run, support::Server};

/// Starts a server that cannot start, and gives what it said.
async fn refused(settings: &[(&str, &str)]) -> String {
    let server = Server::start(settings);
    let (status, log) = tokio::task::spawn_blocking(|| server.ended()).await.expect("an end");
    assert!(!status.success(), "{settings:?}: {log}");
    assert!(!log.contains("panicked"), "{log}");
    log
}

#[test]
fn settings_that_are_wrong_are_not_repeated() {
    run(async {
        let mut canaries = Canaries::default();
        let secret = canaries.hide("a secret");
        let postgres = |rest: &str| format!("postgres://banyan:{}", rest.replace("SECRET", &secret));
        for (name, value, says) in [
            ("DATABASE_URL", postgres("SECRET@127.0.0.1:1/banyan"), "Connection refused"),
            ("DATABASE_URL", postgres("pass@word?SECRET=1@127.0.0.1:1/banyan"), "DATABASE_URL"),
            ("DATABASE_URL", postgres("pass/SECRET@127.0.0.1:1/banyan"), "Connection refused"),
            ("DATABASE_URL", postgres("pass@SECRET@127.0.0.1:port/banyan"), "DATABASE_URL"),
            ("DATABASE_URL", postgres("SECRET@127.0.0.1:1/banyan?sslmode=perhaps"), "DATABASE_URL"),
            ("DATABASE_URL", format!("mysql://banyan:{secret}@127.0.0.1/banyan"), "`mysql` is not supported"),
            ("DATABASE_URL", format!("banyan:{secret}@127.0.0.1/banyan"), "no scheme"),
            ("DATABASE_URL", format!("{secret}@host://banyan"), "no scheme"),
            ("REDIS_URL", format!("redis://:{secret}@127.0.0.1:port"), "REDIS_URL"),
            ("REDIS_URL", format!("http://:{secret}@127.0.0.1"), "REDIS_URL"),
            ("ADMIN_API_KEY", secret.clone(), "ADMIN_API_KEY"),
            ("ADMIN_API_KEY", format!("{secret} with a space, and long enough otherwise"), "ADMIN_API_KEY"),
            ("JWT_SECRET", secret.clone(), "JWT_SECRET"),
            ("JWT_PUBLIC_KEY", format!("-----BEGIN PUBLIC KEY-----\n{secret}\n"), "JWT_PUBLIC_KEY"),
            ("JWKS_URL", format!("https://user:{secret}@keys.example/"), "JWKS_URL"),
        ] {
            let log = refused(&[("LOG", "trace"), (name, &value)]).await;
            assert!(log.contains(says), "{name}={value} says: {log}");
            assert_eq!(canaries.found_in(&log), [""; 0], "{name}={value}");
        }
    });
}

/// A server of PostgreSQL's protocol that takes no password.
async fn takes_nobody() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("listens");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut heard = [0; 1024];
            let (ask, no) =
                (b"R\0\0\0\x08\0\0\0\x03", b"SFATAL\0C28P01\0Mpassword authentication failed for user \"banyan\"\0\0");
            let mut refusal = vec![b'E'];
            refusal.extend(u32::try_from(no.len() + 4).expect("a short text").to_be_bytes());
            refusal.extend(no);
            let _greeting = stream.read(&mut heard).await;
            let _asked = stream.write_all(ask).await;
            let _password = stream.read(&mut heard).await;
            let _refused = stream.write_all(&refusal).await;
        }
    });
    address
}

#[test]
fn a_password_that_is_wrong_is_not_repeated() {
    run(async {
        let mut canaries = Canaries::default();
        let url = format!("postgres://banyan:{}@{}/banyan", canaries.hide("a wrong password"), takes_nobody().await);
        let log = refused(&[("LOG", "trace"), ("DATABASE_URL", &url)]).await;
        assert!(log.contains("password authentication failed"), "{log}");
        assert_eq!(canaries.found_in(&log), [""; 0]);
    });
}

#[test]
fn the_help_shows_no_secret_of_the_environment() {
    let mut canaries = Canaries::default();
    let mut command = Command::new(env!("CARGO_BIN_EXE_banyan"));
    for name in
        ["DATABASE_URL", "REDIS_URL", "ADMIN_API_KEY", "JWT_SECRET", "JWKS_URL", "HASH_KEY", "HASH_KEY_PREVIOUS"]
    {
        command.env(name, canaries.hide(name));
    }
    let help = command.arg("--help").output().expect("runs the product");
    let text = String::from_utf8_lossy(&help.stdout).into_owned();
    assert!(text.contains("JWT_SECRET"), "{text}");
    assert_eq!(canaries.found_in(&text), [""; 0]);
}
