// Jobs whose sender named their arguments, as Python's clients may.
#include <boost/asio/this_coro.hpp>

#include "broker/broker.hpp"
#include "codecs/json.hpp"
#include "integration/worker_test.hpp"
#include "model/record.hpp"

namespace quarq::test::worker_arguments_by_name_tests {
namespace {

constexpr task<std::string(std::string, int)> crawl{"crawl", "url", "depth"};
constexpr task<int(int)> unnamed{"unnamed"};

std::string crawl_in_process(std::string url, int depth) {
  return url + " in a process, " + std::to_string(depth) + " deep";
}

struct ending {
  job_state state;
  model::outcome outcome;
};

class worker_arguments_by_name : public worker_test {
 protected:
  /// Lets the worker run one job and returns its end.
  ending end_of(worker& w, std::string task_name, std::string by_position, std::string by_name) {
    model::record r;
    r.task = std::move(task_name);
    r.arguments = codecs::json_to_msgpack(by_position);
    r.keywords = codecs::json_to_msgpack(by_name);
    r.keep_result = 1h;
    ending end{};
    serve(w, [&](queue) -> awaitable<void> {
      const auto loop = co_await boost::asio::this_coro::executor;
      const auto broker = broker::open(url(), loop);
      std::vector<broker::new_job> batch(1);
      batch.front().id = "job";
      batch.front().record = model::encode(r);
      co_await broker->enqueue("default", std::move(batch));
      const auto ended = co_await with_timeout(broker->wait_ended("default", "job"), default_timeout);
      end.state = ended->state;
      end.outcome = model::decode_outcome(ended->outcome);
    });
    return end;
  }

  template <class F>
  std::string result_of(F handler, handler_options how = {}) {
    worker w(options());
    w.handle(crawl, std::move(handler), std::move(how));
    const auto end = end_of(w, "crawl", R"(["a"])", R"({"depth": 3})");
    EXPECT_EQ(end.state, job_state::succeeded) << end.outcome.error;
    return codecs::to_json(end.outcome.result);
  }

  void expect_refused(std::string task_name, std::string by_name, std::string error) {
    worker w(options());
    w.handle(crawl, [](std::string, int) { return std::string("ran"); });
    w.handle(unnamed, [](int n) { return n; });
    const auto end = end_of(w, std::move(task_name), "[]", std::move(by_name));
    EXPECT_EQ(end.state, job_state::dead);
    EXPECT_EQ(end.outcome.error_type, "quarq::decode_error");
    EXPECT_EQ(end.outcome.error, error);
  }
};

TEST_P(worker_arguments_by_name, are_in_their_places_when_the_context_is_asked) {
  const auto asked = [](context& ctx, std::string, int) {
    const auto [url, depth] = ctx.arguments(crawl);
    return ctx.arguments_json() + url + std::to_string(depth);
  };
  EXPECT_EQ(result_of(asked), R"("[\"a\", 3]a3")");
}

TEST_P(worker_arguments_by_name, reach_coroutines) {
  EXPECT_EQ(result_of([](std::string url, int depth) -> awaitable<std::string> {
              co_return url + std::to_string(depth);
            }),
            R"("a3")");
}

TEST_P(worker_arguments_by_name, reach_handlers_on_threads) {
  EXPECT_EQ(result_of([](std::string url, int depth) { return url + std::to_string(depth); }), R"("a3")");
}

TEST_P(worker_arguments_by_name, reach_handlers_in_processes) {
  EXPECT_EQ(result_of(crawl_in_process, {.on = level::process}), R"("a in a process, 3 deep")");
}

TEST_P(worker_arguments_by_name, that_do_not_fit_end_the_job_with_the_reason) {
  expect_refused("crawl", R"({"url": "a", "deep": 3})",
                 R"(crawl: there is no parameter "deep"; it has url, depth)");
}

TEST_P(worker_arguments_by_name, of_the_wrong_type_end_the_job_with_the_reason) {
  expect_refused("crawl", R"({"url": "a", "depth": "x"})",
                 "crawl: argument 2 (depth): expected integer, got string");
}

TEST_P(worker_arguments_by_name, of_a_task_without_names_end_the_job_with_the_reason) {
  expect_refused(
      "unnamed", R"({"n": 1})",
      "unnamed: arguments can't be given by name: the task is declared without its parameters' names");
}

AT_EACH_BROKER(worker_arguments_by_name);

}  // namespace
}  // namespace quarq::test::worker_arguments_by_name_tests
