#[service(dyn Mailer)]
struct Smtp {
    url: SmtpUrl,
}

#[service]
fn smtp_url(config: Arc<Config>) -> Result<SmtpUrl, std::io::Error> {
    config.smtp_url()
}
