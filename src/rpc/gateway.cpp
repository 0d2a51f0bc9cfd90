#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/this_coro.hpp>
#include <fmt/format.h>

#include <quarq/detail/enqueue.hpp>
#include <quarq/detail/job_handle.hpp>
#include <quarq/errors.hpp>
#include <quarq/http/event_writer.hpp>
#include <quarq/http/problem.hpp>
#include <quarq/rpc/gateway.hpp>
#include <quarq/time.hpp>

#include "clients/queue_impl.hpp"
#include "codecs/utf8.hpp"
#include "rpc/broker_problem.hpp"
#include "rpc/job_requests.hpp"

namespace quarq::rpc {

namespace asio = boost::asio;
using std::chrono::milliseconds;

namespace {

http::response json_answer(int status, std::string body) {
  return http::response(status, std::move(body), "application/json");
}

// Belongs to the server's loop.
class gateway : public std::enable_shared_from_this<gateway> {
 public:
  gateway(const queue& where, gateway_options options)
      : queue_(detail::queue_access::impl(where)), options_(options) {}

  awaitable<http::response> enqueue(std::string task, http::request& r);
  awaitable<http::response> look(std::string id, http::request& r);
  awaitable<http::response> cancel(std::string id);
  awaitable<http::response> watch(std::string id);

 private:
  struct seen {
    std::string json;
    bool is_final = false;
  };
  awaitable<seen> now(std::string id);
  awaitable<seen> within(std::string id, milliseconds wait);
  awaitable<void> tell(std::string id, seen first, http::event_writer& out);

  std::shared_ptr<clients::queue_impl> queue_;
  gateway_options options_;
};

awaitable<http::response> gateway::enqueue(std::string task, http::request& r) {
  auto body = co_await r.body();
  std::vector<detail::call_data> calls;
  calls.push_back(call_of(std::move(task), r, body));
  http::response answer;
  try {
    const auto sent = co_await detail::enqueue(queue_, std::move(calls));
    if (!sent.front().accepted) throw duplicate_job(sent.front().id);
    job_info made;
    made.id = sent.front().id;
    made.state = job_state::queued;
    answer = json_answer(202, to_json(made));
    answer.headers.set("Location", location_of(sent.front().id));
  } catch (const error&) {
    rethrow_as_problem();
  }
  co_return answer;
}

awaitable<gateway::seen> gateway::now(std::string id) {
  const detail::job_handle job(queue_, id);
  const auto info = co_await job.info();
  seen found;
  found.json = to_json(info);
  found.is_final = is_final(info.state);
  co_return found;
}

// The state at the job's end, or after `wait`.
awaitable<gateway::seen> gateway::within(std::string id, milliseconds wait) {
  const auto loop = co_await asio::this_coro::executor;
  std::optional<broker::ended> end;
  bool is_over = true;
  try {
    auto waiting = with_timeout(queue_->wait_ended(loop, id), wait);
    end = co_await std::move(waiting);
  } catch (const timed_out&) {
    is_over = false;
  }
  seen found;
  if (!is_over) {
    auto present = co_await now(id);
    co_return present;
  }
  if (!end) throw job_not_found(id);
  try {
    auto kept = co_await now(id);
    co_return kept;
  } catch (const job_not_found&) {
    // Nothing of it is kept.
  }
  const auto outcome = end->outcome.empty() ? model::outcome{} : model::decode_outcome(end->outcome);
  found.json = to_json(id, end->state, outcome);
  found.is_final = true;
  co_return found;
}

awaitable<http::response> gateway::look(std::string id, http::request& r) {
  const auto wait = wait_of(r, options_.max_wait);
  http::response answer;
  try {
    auto found = co_await now(id);
    if (wait && !found.is_final) {
      auto later = co_await within(id, *wait);
      found = std::move(later);
    }
    answer = json_answer(200, std::move(found.json));
  } catch (const error&) {
    rethrow_as_problem();
  }
  co_return answer;
}

awaitable<http::response> gateway::cancel(std::string id) {
  http::response answer;
  try {
    const detail::job_handle job(queue_, id);
    const auto outcome = co_await job.cancel();
    if (outcome == cancel_outcome::not_found) throw job_not_found(id);
    if (outcome == cancel_outcome::too_late) throw http::problem(409, "the job had ended");
    const bool is_running = outcome == cancel_outcome::requested;
    answer = json_answer(is_running ? 202 : 200,
                         fmt::format("{{\"outcome\": \"{}\"}}", is_running ? "requested" : "cancelled"));
  } catch (const http::problem&) {
    throw;
  } catch (const error&) {
    rethrow_as_problem();
  }
  co_return answer;
}

awaitable<http::response> gateway::watch(std::string id) {
  seen first;
  try {
    auto found = co_await now(id);
    first = std::move(found);
  } catch (const error&) {
    rethrow_as_problem();
  }
  auto write = [self = shared_from_this(), id, first](http::event_writer& out) {
    return self->tell(id, first, out);
  };
  co_return http::events(std::move(write));
}

awaitable<void> gateway::tell(std::string id, seen first, http::event_writer& out) {
  constexpr milliseconds keep_alive{15'000};
  auto last = std::move(first);
  milliseconds quiet{0};
  co_await out.send(last.json, last.is_final ? "end" : "state");
  while (!last.is_final) {
    seen next;
    try {
      auto found = co_await within(id, options_.look_interval);
      next = std::move(found);
    } catch (const job_not_found&) {
      co_return;  // it was purged
    }
    quiet += options_.look_interval;
    if (next.is_final || next.json != last.json) {
      co_await out.send(next.json, next.is_final ? "end" : "state");
      quiet = milliseconds{0};
    } else if (quiet >= keep_alive) {
      co_await out.keep_alive();
      quiet = milliseconds{0};
    }
    last = std::move(next);
  }
}

}  // namespace

void serve_jobs(http::server& by, queue where, gateway_options options) {
  const auto all = std::make_shared<gateway>(where, options);
  const http::route_options stops{.max_body = std::nullopt, .disconnect = http::on_disconnect::cancel};
  by.post("/jobs/{task}",
          [all](std::string task, http::request& r) { return all->enqueue(std::move(task), r); });
  by.get(
      "/jobs/{id}", [all](std::string id, http::request& r) { return all->look(std::move(id), r); }, stops);
  by.remove("/jobs/{id}", [all](std::string id) { return all->cancel(std::move(id)); });
  by.get("/jobs/{id}/events", [all](std::string id) { return all->watch(std::move(id)); }, stops);
}

}  // namespace quarq::rpc
