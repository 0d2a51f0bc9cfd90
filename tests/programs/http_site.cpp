// A server for other people's programs: proxies in front of it, browsers, attackers (tests/interop/http). It prints
// its port, and that of a second server, which says what has come to the first one.
#include <cstdio>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <boost/describe.hpp>
#include <openssl/evp.h>

#include <quarq/gather.hpp>
#include <quarq/http/event_writer.hpp>
#include <quarq/http/server.hpp>
#include <quarq/run.hpp>
#include <quarq/time.hpp>

#include "programs/die_with_parent.hpp"
#include "programs/words.hpp"

namespace quarq::test::http_site {

struct seen {
  std::string method;
  std::string target;
  std::string peer;
};
BOOST_DESCRIBE_STRUCT(seen, (), (method, target, peer))

struct named_value {
  std::string name;
  std::string value;
};
BOOST_DESCRIBE_STRUCT(named_value, (), (name, value))

struct digest {
  long long size = 0;
  std::string sha256;
};
BOOST_DESCRIBE_STRUCT(digest, (), (size, sha256))

namespace {

std::string echo_nothing() {
  return "ok";
}

awaitable<std::string> echo(http::request& r) {
  auto body = co_await r.body();
  co_return body;
}

std::string canary(int number) {
  return std::to_string(number);
}

std::vector<named_value> all_fields(http::request& r) {
  std::vector<named_value> all;
  for (const auto& f : r.headers()) all.push_back({std::string(f.name), std::string(f.value)});
  return all;
}

awaitable<digest> digest_of(http::request& r) {
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> sum(EVP_MD_CTX_new(), &EVP_MD_CTX_free);
  EVP_DigestInit_ex(sum.get(), EVP_sha256(), nullptr);
  digest result;
  while (true) {
    const auto part = co_await r.read_body_some();
    if (part.empty()) break;
    EVP_DigestUpdate(sum.get(), part.data(), part.size());
    result.size += static_cast<long long>(part.size());
  }
  unsigned char bytes[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  EVP_DigestFinal_ex(sum.get(), bytes, &size);
  for (unsigned i = 0; i < size; ++i) {
    char two[3];
    std::snprintf(two, sizeof two, "%02x", bytes[i]);
    result.sha256 += two;
  }
  co_return result;
}

// The alphabet, again and again.
std::string thousand_alphabets() {
  std::string block;
  for (int i = 0; i < 1000; ++i) block += "abcdefghijklmnopqrstuvwxyz";
  return block;
}

awaitable<void> write_letters(http::body_writer& out, long long count) {
  static const std::string block = thousand_alphabets();
  while (count > 0) {
    const auto part = std::min(static_cast<std::size_t>(count), block.size());
    co_await out.write(std::string_view(block).substr(0, part));
    count -= static_cast<long long>(part);
  }
}

http::response letters(long long count) {
  return http::streamed("application/octet-stream",
                        [count](http::body_writer& out) { return write_letters(out, count); });
}

// Two on each connection, so that whoever wants more must come again; six are all.
awaitable<void> two_events(http::event_writer& out, int after) {
  for (int i = after + 1; i <= after + 2; ++i) {
    const auto number = std::to_string(i);
    co_await out.send("event " + number, "tick", number);
  }
}

http::response events(http::request& r) {
  const auto last = r.headers()["Last-Event-ID"];
  const int after = last.empty() ? 0 : std::stoi(std::string(last));
  if (after >= 6) return http::response(204);
  return http::events([after](http::event_writer& out) { return two_events(out, after); });
}

http::response set_cookie() {
  auto answer = http::text("set");
  answer.headers.add("Set-Cookie", "visit=1; Path=/; HttpOnly; SameSite=Lax");
  answer.headers.add("Set-Cookie", "elsewhere=1; Path=/elsewhere");
  return answer;
}

std::string cookies(http::request& r) {
  return std::string(r.headers()["Cookie"]);
}

std::string put_value(int number, http::request& r) {
  return std::to_string(number) + std::string(r.headers()["X-Of-The-Page"]);
}

awaitable<void> live(http::websocket& socket) {
  while (true) {
    const auto received = co_await socket.receive();
    if (received.is_text && received.data == "close 4001") {
      co_await socket.close(4001, "as you like");
      break;
    }
    co_await socket.send(received);
  }
}

http::server_options options_of(const words& from) {
  using std::chrono::milliseconds;
  http::server_options o;
  o.address = from.text("address", o.address);
  o.port = static_cast<std::uint16_t>(from.number("port", 0));
  o.public_without_auth = from.has("public");
  o.certificate_file = from.text("certificate");
  o.key_file = from.text("key");
  o.max_body = static_cast<std::uint64_t>(from.number("max_body", static_cast<long long>(o.max_body)));
  o.header_timeout = milliseconds(from.number("header_timeout", o.header_timeout.count()));
  o.idle_timeout = milliseconds(from.number("idle_timeout", o.idle_timeout.count()));
  o.body_timeout = milliseconds(from.number("body_timeout", o.body_timeout.count()));
  o.write_timeout = milliseconds(from.number("write_timeout", o.write_timeout.count()));
  return o;
}

class site {
 public:
  explicit site(const words& from) : visited_(options_of(from)), control_({.port = 0}) {
    const auto remember = [this](http::request& r, http::next go_on) -> awaitable<http::response> {
      seen_.push_back({std::string(r.method()), std::string(r.target()), r.peer()});
      auto answer = co_await go_on(r);
      co_return answer;
    };
    visited_.use(remember);
    if (from.has("cors")) {
      http::cors_options may;
      may.origins = {from.text("cors")};
      may.headers.push_back("X-Of-The-Page");
      may.credentials = true;
      visited_.use(http::cors(may));
    }
    visited_.get("/", echo_nothing).get("/echo", echo_nothing).get("/cookie", echo_nothing);
    visited_.post("/", echo).post("/echo", echo).post("/digest", digest_of);
    visited_.get("/canary/{number}", canary).get("/fields", all_fields).get("/letters/{count}", letters);
    visited_.get("/events", events).get("/set-cookie", set_cookie).get("/cookies", cookies);
    visited_.put("/value/{number}", put_value);
    visited_.websocket("/live", live, {.max_message = 1 << 24, .compression = true, .subprotocols = "echo"});
    visited_.websocket("/live/from-anywhere", live, {.origins = "*"});
    if (from.has("files")) visited_.files("/files", from.text("files"));
    control_.get("/seen", [this] { return std::exchange(seen_, {}); });
  }

  awaitable<void> run() {
    const auto port = visited_.listen();
    std::printf("%d %d\n", port, control_.listen());
    std::fflush(stdout);
    co_await gather(visited_.run(), control_.run());
  }

 private:
  http::server visited_;
  http::server control_;
  std::vector<seen> seen_;
};

}  // namespace
}  // namespace quarq::test::http_site

int main(int argc, char** argv) {
  quarq::test::die_with_parent();
  const quarq::test::words from(argc, argv);
  quarq::test::http_site::site all(from);
  return quarq::main(all.run());
}
