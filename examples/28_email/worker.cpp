// Sends e-mails through the API of a provider, which fails eight times in a hundred. No e-mail is lost by that, and
// none is sent twice.
//   MAIL_API   where the API is (http://127.0.0.1:8025)
//   MAIL_RATE  how many requests a second this worker may send it (100)
#include <cstdlib>
#include <stdexcept>
#include <string>

#include <quarq/http/client.hpp>
#include <quarq/rate_limiter.hpp>
#include <quarq/worker.hpp>

#include "tasks.hpp"

using namespace std::chrono_literals;
namespace http = quarq::http;

struct provider {
  std::string url;
};

quarq::awaitable<void> do_send_email(quarq::context& ctx, email mail) {
  co_await ctx.state<quarq::rate_limiter>().acquire();
  // By this the API knows the e-mail again, when its answer to an earlier attempt was lost.
  http::fields headers;
  headers.set("Idempotency-Key", ctx.id());
  const auto url = ctx.state<provider>().url + "/messages";
  const auto answer = co_await ctx.state<http::client>().post(
      url, {.json = mail, .headers = headers});  // throws if there is none
  if (answer.ok()) co_return;

  const std::string why = "the API says " + std::to_string(answer.status) + ": " + answer.body;
  if (const auto pause = answer.retry_after()) throw quarq::retry_after(*pause, why);
  if (answer.status == 429 || answer.status >= 500) throw std::runtime_error(why);
  throw quarq::permanent_failure(why);  // the e-mail itself is wrong
}

std::string from_environment(const char* name, const char* otherwise) {
  const char* value = std::getenv(name);
  return value != nullptr ? value : otherwise;
}

int main(int argc, char** argv) {
  quarq::worker worker;
  // A request that hangs keeps its connection until it times out: so there are more than e-mails under way.
  http::client_options web;
  web.timeout = 2s;
  web.max_connections = web.max_connections_per_host = 1'000;
  worker.emplace<http::client>(web);
  worker.emplace<quarq::rate_limiter>(
      quarq::rate_limiter_options{.permits = std::stoul(from_environment("MAIL_RATE", "100")), .per = 1s});
  worker.emplace<provider>(from_environment("MAIL_API", "http://127.0.0.1:8025"));
  worker.handle(send_email, do_send_email,
                {.timeout = 1min, .retry = quarq::backoff::exponential(500ms, 1min).attempts(10)});
  return worker.main(argc, argv);
}
