//! PostgreSQL with tokio-postgres: each line of the input is a statement; a connection that broke is opened again with a
//! fresh token. Rust's standard library has no HTTP client: ureq is a small one.
use rustls::pki_types::{CertificateDer, pem::PemObject};
use serde::Deserialize;
use std::{env::var, fs, time::Duration};
use tokio::io::{AsyncBufReadExt, BufReader, stdin};
use tokio_postgres::{Client, Config, config::SslMode};

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

#[derive(Deserialize)]
struct Vended { token: String, connection: Facts, ca_bundle: CaBundle }
#[derive(Deserialize)]
struct Facts { host: String, port: u16, database: String, user: String, application_name: String }
#[derive(Deserialize)]
struct CaBundle { href: String }

/// A connection with a fresh token that trusts the vended CA bundle alone.
async fn connect() -> Result<Client> {
    let (url, jwt) = (var("RTV_URL")?, fs::read_to_string(var("RTV_JWT_FILE")?)?); // read each time: it is rotated
    let wanted = [("database", var("RTV_DATABASE")?), ("user", var("RTV_USER")?)];
    let http: ureq::Agent = ureq::Agent::config_builder().max_redirects(0).timeout_global(Some(Duration::from_secs(15))).build().into();
    let mut answer = http.post(format!("{url}/v1/tokens")).config().http_status_as_error(false).build()
        .header("Authorization", format!("Bearer {}", jwt.trim())).send_form(wanted)?;
    if answer.status() != 201 {
        let words = answer.body_mut().read_to_string()?; // the service's own have the audit id
        return Err(if words.starts_with(r#"{"type":"urn:rds-token-vendor:"#) { words } else { answer.status().to_string() }.into());
    }
    let vended: Vended = answer.body_mut().read_json()?;
    let bundle = http.get(format!("{url}{}", vended.ca_bundle.href)).call()?.body_mut().read_to_vec()?;
    let mut roots = rustls::RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(&bundle) {
        roots.add(certificate?)?;
    }
    let tls = rustls::ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    let facts = vended.connection;
    let (client, connection) = Config::new()
        .host(facts.host).port(facts.port).dbname(facts.database).user(facts.user).password(vended.token)
        .application_name(facts.application_name)
        .ssl_mode(SslMode::Require) // and rustls verifies the certificate and the host name
        .connect(tokio_postgres_rustls::MakeRustlsConnect::new(tls)).await?;
    tokio::spawn(connection);
    Ok(client)
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let mut statements = BufReader::new(stdin()).lines();
    let mut client: Option<Client> = None;
    while let Some(statement) = statements.next_line().await? {
        let live = match client.take().filter(|client| !client.is_closed()) {
            Some(client) => client,
            None => connect().await?,
        };
        println!("{}", live.query_one(&statement, &[]).await?.get::<_, String>(0));
        client = Some(live);
    }
    Ok(())
}
