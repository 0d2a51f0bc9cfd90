// The gateway: a queue, used by requests that anybody could send.
#include <atomic>
#include <string>
#include <thread>
#include <utility>

#include <boost/json.hpp>
#include <gtest/gtest.h>

#include <quarq/http/client.hpp>
#include <quarq/http/events.hpp>
#include <quarq/rpc/gateway.hpp>
#include <quarq/time.hpp>
#include <quarq/worker.hpp>

#include "base/log.hpp"
#include "integration/worker_test.hpp"
#include "support/on_loop.hpp"
#include "support/served.hpp"

namespace quarq::test::rpc_gateway_tests {
namespace {

inline constexpr task<int(int, int)> add{"add", "a", "b"};
inline constexpr task<void()> stay{"stay"};
inline constexpr task<int()> fail{"fail"};

class rpc_gateway : public testing::TestWithParam<broker_kind> {
 protected:
  rpc_gateway() {
    base::set_log_level("off");
    web_.options().port = 0;
    rpc::serve_jobs(web_, queue(place_->url()), {.look_interval = 20ms});
    running_.emplace(web_);
    worker_.options().broker = place_->url();
    worker_.options().cancel_timeout = 300ms;
    worker_.handle(add, [](int a, int b) { return a + b; });
    worker_.handle(stay, [this]() -> awaitable<void> {
      stays_ = true;
      co_await sleep_for(1min);
    });
    worker_.handle(fail, []() -> int { throw std::runtime_error("no"); });
    working_ = std::thread([this] { quarq::run(worker_.run()); });
  }
  ~rpc_gateway() override {
    worker_.stop();
    worker_.stop();
    working_.join();
  }

  std::string url(const std::string& path) const {
    return "http://127.0.0.1:" + std::to_string(running_->port) + path;
  }
  http::response ask(std::string_view method, const std::string& path, std::string_view body = {}) {
    http::request_options options;
    if (!body.empty()) {
      options.body = body;
      options.content_type = "application/json";
    }
    return run_on_loop(asking_.request(method, url(path), options));
  }
  static boost::json::object read(const http::response& r) { return boost::json::parse(r.body).as_object(); }
  std::string enqueue(const std::string& path, std::string_view body = {}) {
    const auto answer = ask("POST", path, body);
    EXPECT_EQ(answer.status, 202) << answer.body;
    const std::string id(read(answer).at("id").as_string());
    EXPECT_EQ(answer.headers["Location"], "/jobs/" + id);
    return id;
  }
  boost::json::object wait_for(const std::string& id) {
    return read(ask("GET", "/jobs/" + id + "?wait=30s"));
  }

  std::unique_ptr<broker_fixture> place_ = GetParam().make();
  http::server web_;
  std::optional<served> running_;
  worker worker_;
  std::atomic<bool> stays_ = false;
  std::thread working_;
  http::client asking_;
};

TEST_P(rpc_gateway, enqueues_and_answers_with_the_result) {
  const auto id = enqueue("/jobs/add", "[1, 2]");
  const auto job = wait_for(id);
  EXPECT_EQ(job.at("id").as_string(), id);
  EXPECT_EQ(job.at("state").as_string(), "succeeded");
  EXPECT_EQ(job.at("result").as_int64(), 3);
}

TEST_P(rpc_gateway, takes_arguments_by_name) {
  EXPECT_EQ(wait_for(enqueue("/jobs/add", "{\"b\": 1, \"a\": 41}")).at("result").as_int64(), 42);
}

TEST_P(rpc_gateway, says_how_a_job_failed) {
  const auto job = wait_for(enqueue("/jobs/fail?attempts=1"));
  EXPECT_EQ(job.at("state").as_string(), "failed");
  EXPECT_EQ(job.at("error").as_string(), "no");
  EXPECT_EQ(job.at("error_type").as_string(), "std::runtime_error");
  EXPECT_NE(wait_for(enqueue("/jobs/add", "[1, \"two\"]")).at("error").as_string().find("argument 2 (b)"),
            std::string::npos);
}

TEST_P(rpc_gateway, cancels) {
  const auto waiting = enqueue("/jobs/add?delay=1h", "[1, 2]");
  EXPECT_EQ(ask("DELETE", "/jobs/" + waiting).status, 200);
  EXPECT_EQ(wait_for(waiting).at("state").as_string(), "cancelled");
  EXPECT_EQ(ask("DELETE", "/jobs/" + waiting).status, 409);
  const auto running = enqueue("/jobs/stay");
  run_on_loop(until([&] { return stays_.load(); }));
  EXPECT_EQ(ask("DELETE", "/jobs/" + running).status, 202);
  EXPECT_EQ(wait_for(running).at("state").as_string(), "cancelled");
}

TEST_P(rpc_gateway, streams_the_states_of_a_job) {
  const auto id = enqueue("/jobs/stay");
  run_on_loop([&]() -> awaitable<void> {
    http::event_stream events(asking_, url("/jobs/" + id + "/events"));
    std::string last;
    while (last.find("running") == std::string::npos) {
      const auto event = co_await events.next();
      if (!event) break;
      EXPECT_EQ(event->type, "state");
      last = event->data;
    }
    const auto answer = co_await asking_.remove(url("/jobs/" + id));
    EXPECT_EQ(answer.status, 202);
    std::string type = "state";
    while (type == "state") {
      const auto event = co_await events.next();
      if (!event) break;
      type = event->type;
      last = event->data;
    }
    EXPECT_EQ(type, "end");
    EXPECT_NE(last.find("cancelled"), std::string::npos) << last;
  });
}

TEST_P(rpc_gateway, refuses_what_makes_no_sense) {
  EXPECT_EQ(ask("POST", "/jobs/add", "[1, 2").status, 400);
  EXPECT_EQ(ask("POST", "/jobs/add", "5").status, 422);
  const auto late = ask("POST", "/jobs/add?delay=soon", "[1, 2]");
  EXPECT_EQ(late.status, 422);
  EXPECT_NE(late.body.find("delay: expected a duration like 10s"), std::string::npos) << late.body;
  EXPECT_EQ(ask("POST", "/jobs/add?priority=10", "[1, 2]").status, 422);
  EXPECT_EQ(ask("GET", "/jobs/none").status, 404);
  EXPECT_EQ(ask("GET", "/jobs/none/events").status, 404);
  EXPECT_EQ(ask("DELETE", "/jobs/none").status, 404);
  enqueue("/jobs/add?id=mine&delay=1h", "[1, 2]");
  EXPECT_EQ(ask("POST", "/jobs/add?id=mine", "[1, 2]").status, 409);
}

INSTANTIATE_TEST_SUITE_P(at, rpc_gateway, testing::Values(broker_kinds().at(0), broker_kinds().at(3)),
                         [](const auto& p) { return p.param.name; });

}  // namespace
}  // namespace quarq::test::rpc_gateway_tests
