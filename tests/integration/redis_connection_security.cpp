// TLS and passwords.
#include "integration/redis_connection_test.hpp"

namespace quarq::redis {
namespace {

TEST_F(redis_connection, tls_checks_the_certificate) {
  redis_server server({.tls = true});
  check_commands(server.url() + "?tls_ca=" + server.ca_file());
}

TEST_F(redis_connection, tls_without_verification_takes_any_certificate) {
  redis_server server({.tls = true});
  check_commands(server.url() + "?tls_verify=no");
}

TEST_F(redis_connection, tls_refuses_an_unknown_certificate_at_once) {
  redis_server server({.tls = true});
  const auto failure = patient_ping_failure(server.url());
  EXPECT_EQ(failure, "rediss://" + server.endpoint() +
                         ": TLS: the server's certificate is not trusted: self-signed certificate");
}

TEST_F(redis_connection, tls_refuses_a_certificate_for_another_host) {
  redis_server server({.tls = true});
  auto options = parse_url(server.url() + "?tls_ca=" + server.ca_file());
  options.request_timeout.reset();
  options.host = "127.1";  // the resolver takes it for 127.0.0.1, the certificate does not
  const auto failure = ping_failure(options);
  EXPECT_NE(failure.find("not trusted: hostname mismatch"), std::string::npos) << failure;
}

TEST_F(redis_connection, tls_refuses_a_certificate_for_another_address) {
  redis_server server({.tls = true});
  server.command({"CONFIG", "SET", "bind", "127.0.0.1 127.0.0.2"});
  auto options = parse_url(server.url() + "?tls_ca=" + server.ca_file());
  options.request_timeout.reset();
  options.host = "127.0.0.2";
  const auto failure = ping_failure(options);
  EXPECT_NE(failure.find("not trusted: IP address mismatch"), std::string::npos) << failure;
}

TEST_F(redis_connection, a_missing_certificate_file_is_named) {
  auto options = parse_url("rediss://127.0.0.1:1?tls_ca=/no/such/file.pem");
  redis_server server({.tls = true});
  options.port = std::to_string(server.port());
  options.request_timeout.reset();
  const auto failure = ping_failure(options);
  EXPECT_NE(failure.find("can't read certificates from /no/such/file.pem"), std::string::npos) << failure;
}

TEST_F(redis_connection, plain_text_to_a_tls_port_and_tls_to_a_plain_port_time_out) {
  redis_server server({.tls = true});
  auto failure = ping_failure("redis://" + server.endpoint() + "?timeout=0.3");
  EXPECT_NE(failure.find("no connection within 0.300 s"), std::string::npos) << failure;
  failure = ping_failure("rediss://127.0.0.1:" + std::to_string(server.plain_port()) + "?timeout=0.3");
  EXPECT_NE(failure.find("still waiting for the TLS handshake"), std::string::npos) << failure;
}

TEST_F(redis_connection, authenticates_with_password_or_user) {
  redis_server server({.password = "hunter2/@"});
  const auto place = "@" + server.endpoint();
  EXPECT_EQ(ping_failure("redis://:hunter2%2F%40" + place), "no failure");
  server.command({"ACL", "SETUSER", "worker", "on", ">other", "~*", "+@all"});
  EXPECT_EQ(ping_failure("redis://worker:other" + place), "no failure");
}

TEST_F(redis_connection, a_wrong_password_is_refused_at_once_and_not_shown) {
  redis_server server({.password = "hunter2-of-server"});
  const auto place = server.endpoint();
  auto failure = patient_ping_failure("redis://:another-hunter2@" + place);
  EXPECT_EQ(failure.find("redis://" + place +
                         ": HELLO was refused: WRONGPASS: it does not accept the user and password"),
            0u)
      << failure;
  EXPECT_EQ(failure.find("another-hunter2"), std::string::npos) << failure;
  failure = patient_ping_failure("redis://" + place);
  EXPECT_NE(failure.find("redis://" + place + ": HELLO was refused: NOAUTH: it wants a password"),
            std::string::npos)
      << failure;
}

TEST_F(redis_connection, after_a_refusal_the_next_request_tries_again) {
  redis_server server({.password = "hunter2-of-server"});
  use("redis://:new@" + server.endpoint(), [&](connection& c) -> awaitable<void> {
    const auto ping = args_of("PING");
    const auto new_password = args_of("CONFIG", "SET", "requirepass", "new");
    const auto failure = co_await failure_of(c.command(ping));
    EXPECT_NE(failure.find("WRONGPASS"), std::string::npos) << failure;
    server.command(new_password);
    const auto r = co_await c.command(ping);
    EXPECT_EQ(r.text, "PONG");
  });
}

}  // namespace
}  // namespace quarq::redis
