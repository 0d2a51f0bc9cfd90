// A provider's API for e-mails, which misbehaves as real ones do: of a hundred requests 5 are answered with a 5xx, 1 with
// 429 and Retry-After, 1 hangs, 1 is cut off; of a thousand 5 are accepted, but the answer is lost. Idle connections are
// closed soon. It keeps to one promise: an e-mail whose Idempotency-Key it knows is not sent again.
//   email-api --port 8025; GET /report says what came of it all
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <random>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include <boost/asio/error.hpp>
#include <boost/describe.hpp>
#include <boost/system/system_error.hpp>

#include <quarq/http/server.hpp>
#include <quarq/time.hpp>

#include "tasks.hpp"

using namespace std::chrono_literals;
namespace http = quarq::http;

struct report {
  std::uint64_t requests = 0;
  std::uint64_t accepted = 0;    // e-mails
  std::uint64_t repeated = 0;    // requests for an e-mail that was accepted already
  std::uint64_t sent_twice = 0;  // e-mails that somebody got twice
  std::uint64_t misbehaved = 0;  // requests
  std::uint64_t max_in_1s = 0;   // requests that came within any second
  std::uint64_t max_in_5s = 0;   // requests that came within any five
};
BOOST_DESCRIBE_STRUCT(report, (),
                      (requests, accepted, repeated, sent_twice, misbehaved, max_in_1s, max_in_5s))

// How many requests came when, in steps of 10 ms.
class request_times {
 public:
  void note_one() {
    const auto step = static_cast<std::size_t>((std::chrono::steady_clock::now() - start_) / 10ms);
    if (counts_.size() <= step) counts_.resize(step + 1);
    ++counts_[step];
  }
  std::uint64_t max_within(std::chrono::milliseconds span) const {
    const auto steps = static_cast<std::size_t>(span / 10ms);
    std::uint64_t now = 0, max = 0;
    for (std::size_t i = 0; i < counts_.size(); ++i) {
      now += counts_[i];
      if (i >= steps) now -= counts_[i - steps];
      max = std::max(max, now);
    }
    return max;
  }

 private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
  std::vector<std::uint32_t> counts_;
};

enum class behaviour { proper, unavailable, too_many, hangs, cut_off, answer_lost };

class provider {
 public:
  behaviour next() {
    ++counts_.requests;
    times_.note_one();
    const auto of_a_thousand = std::uniform_int_distribution(0, 999)(random_);
    if (of_a_thousand >= 85) return behaviour::proper;
    ++counts_.misbehaved;
    if (of_a_thousand < 50) return behaviour::unavailable;
    if (of_a_thousand < 60) return behaviour::too_many;
    if (of_a_thousand < 70) return behaviour::hangs;
    if (of_a_thousand < 80) return behaviour::cut_off;
    return behaviour::answer_lost;
  }

  void accept(std::string_view key, const email& mail) {
    if (!keys_.emplace(key).second) {
      ++counts_.repeated;
      return;
    }
    ++counts_.accepted;
    if (!sent_.insert(mail.to + " " + mail.subject).second) ++counts_.sent_twice;
  }

  report so_far() const {
    report r = counts_;
    r.max_in_1s = times_.max_within(1s);
    r.max_in_5s = times_.max_within(5s);
    return r;
  }

 private:
  std::mt19937 random_{std::random_device{}()};
  request_times times_;
  std::unordered_set<std::string> keys_;
  std::unordered_set<std::string> sent_;
  report counts_;
};

// The connection ends without an answer.
quarq::awaitable<void> cut_off(http::body_writer&) {
  throw boost::system::system_error(boost::asio::error::connection_reset);
  co_return;
}

quarq::awaitable<http::response> take(http::request& request, email mail) {
  auto& api = request.state<provider>();
  const auto key = request.headers()["Idempotency-Key"];
  if (key.empty() || mail.to.find('@') == std::string::npos)
    throw http::problem(400, "expected an Idempotency-Key, and an address");
  switch (api.next()) {
    case behaviour::unavailable:
      throw http::problem(503, "the data centre is on fire");
    case behaviour::too_many:
      throw http::problem(429, "not so fast", {{"Retry-After", "1"}});
    case behaviour::hangs:
      co_await quarq::sleep_for(1h);
      break;
    case behaviour::cut_off:
      co_return http::streamed("text/plain", cut_off);
    case behaviour::answer_lost:
      api.accept(key, mail);
      co_return http::streamed("text/plain", cut_off);
    case behaviour::proper:
      break;
  }
  api.accept(key, mail);
  co_return http::text("accepted", 202);
}

int main(int argc, char** argv) {
  http::server server({.port = 8025, .idle_timeout = 300ms, .shutdown_timeout = 1s});
  server.emplace<provider>();
  // Who hangs up does not wait: a request that hangs ends with its client.
  server.post("/messages", take, {.disconnect = http::on_disconnect::cancel});
  server.get("/report", [](http::request& request) { return request.state<provider>().so_far(); });
  return server.main(argc, argv);
}
