// Workers on python-arq's keys: what ends or stops arq's own must not harm ours.
#include <quarq/quarq.hpp>

#include "base/log.hpp"
#include "broker/arq/payload/payloads.hpp"
#include "integration/arq_python.hpp"
#include "integration/worker_test.hpp"
#include "support/on_loop.hpp"

namespace quarq::test::arq_worker_tests {
namespace {

// As the payload of python_payload() calls it.
constexpr task<int(int, std::string, bool)> the_task{"the_task", "n", "x", "a"};

class arq_worker : public testing::Test {
 protected:
  arq_worker() { base::set_log_level("off"); }

  worker_options options(bool burst = true) const {
    worker_options o;
    o.broker = arq_url(server_);
    o.burst = burst;
    return o;
  }

  job_state state_in_result(const std::string& id) const {
    return broker::arq::arq_payloads(broker::arq::arq_codec::pickle)
        .read_end(ask(server_, {"GET", "arq:result:" + id}).text)
        .state;
  }

  static redis_server_options on_disk() {
    redis_server_options o;
    o.appendonly = true;
    return o;
  }

  redis_server server_{on_disk()};
};

TEST_F(arq_worker, runs_what_python_enqueued_and_drains_the_queue) {
  for (int i = 0; i < 300; ++i) python_enqueue(server_, "job" + std::to_string(i));
  int ran = 0;
  worker w(options());
  w.handle(the_task, [&](int n, std::string x, bool a) -> awaitable<int> {
    ran += n == 1 && x == "x" && a;
    co_return 42;
  });
  run_on_loop(w.run());
  EXPECT_EQ(ran, 300);
  EXPECT_EQ(
      ask_number(server_, {"EXISTS", "arq:queue", "arq:job:job0", "arq:in-progress:job0", "arq:retry:job0"}),
      0);
  EXPECT_EQ(state_in_result("job299"), job_state::succeeded);
}

TEST_F(arq_worker, poisonous_jobs_end_each_for_itself) {
  python_enqueue(server_, "noise", "no pickle");
  python_enqueue(server_, "global", "cos\nsystem\n(S'true'\ntR.");
  python_enqueue_at(server_, "zero", "0");
  python_enqueue(server_, "not \xff UTF-8");
  ask(server_, {"ZADD", "arq:queue", std::to_string(now_ms()), "gone"});
  python_enqueue(server_, "good");
  worker w(options());
  w.handle(the_task, [](int, std::string, bool) -> awaitable<int> { co_return 42; });
  run_on_loop(w.run());
  EXPECT_EQ(ask_number(server_, {"EXISTS", "arq:queue"}), 0);
  EXPECT_EQ(ask_number(server_, {"ZCARD", "arq:queue:quarq:dead"}), 4);
  EXPECT_EQ(state_in_result("good"), job_state::succeeded);
  EXPECT_EQ(state_in_result("gone"), job_state::expired);
  EXPECT_EQ(state_in_result("noise"), job_state::dead);
  EXPECT_EQ(state_in_result("zero"), job_state::dead);
}

// Where arq's worker dies and loses the result.
TEST_F(arq_worker, a_job_that_fails_before_it_starts_is_kept_for_ever_where_all_are) {
  // the_task(), _job_try=3: its arguments are missing.
  python_enqueue(
      server_, "job",
      from_hex("80049532000000000000007d94288c0174944b038c0166948c087468655f7461736b948c016194298c016b947d"
               "948c026574948a060068e5cf8b01752e"));
  worker w(options());
  w.handle(the_task, [](int, std::string, bool) -> awaitable<int> { co_return 42; },
           {.retry = retry_policy().attempts(2), .keep_result = forever});
  run_on_loop(w.run());
  EXPECT_EQ(state_in_result("job"), job_state::dead);
  EXPECT_EQ(ask_number(server_, {"PTTL", "arq:result:job"}), -1);
}

TEST_F(arq_worker, lives_on_when_redis_is_restarted) {
  int ran = 0;
  latch finish;
  worker w(options(false));
  w.handle(the_task, [&](int, std::string, bool) -> awaitable<int> {
    if (++ran == 1) co_await finish.wait();
    co_return 42;
  });
  const auto client = [&]() -> awaitable<void> {
    python_enqueue(server_, "before");
    co_await until([&] { return ran == 1; });
    server_.kill();
    server_.restart();
    python_enqueue(server_, "after");
    co_await until([&] { return ran == 2; });
    finish.open();
    const auto ended = [&] {
      return ask_number(server_, {"EXISTS", "arq:result:before", "arq:result:after"}) == 2;
    };
    co_await until(ended);
  };
  run_on_loop(alongside(w, client()));
  EXPECT_EQ(ran, 2);
  EXPECT_EQ(state_in_result("before"), job_state::succeeded);
}

TEST_F(arq_worker, hands_back_uncounted_what_it_can_not_end_when_it_is_stopped) {
  bool started = false;
  auto o = options(false);
  o.shutdown_timeout = 0ms;
  worker w(o);
  w.handle(the_task, [&](int, std::string, bool) -> awaitable<int> {
    started = true;
    co_await sleep_for(1h);
    co_return 42;
  });
  const auto client = [&]() -> awaitable<void> {
    python_enqueue_at(server_, "job", "1700000000000");
    co_await until([&] { return started; });
  };
  run_on_loop(alongside(w, client()));
  EXPECT_EQ(score_of(server_, "job"), 1700000000000);
  EXPECT_EQ(ask_number(server_, {"EXISTS", "arq:in-progress:job", "arq:retry:job", "arq:queue:health-check"}),
            0);
}

TEST_F(arq_worker, ends_a_running_job_that_python_aborts) {
  bool started = false;
  worker w(options(false));
  w.handle(the_task, [&](int, std::string, bool) -> awaitable<int> {
    started = true;
    co_await sleep_for(1h);
    co_return 42;
  });
  const auto client = [&]() -> awaitable<void> {
    python_enqueue(server_, "job");
    co_await until([&] { return started; });
    python_abort(server_, "job");
    const auto ended = [&] { return ask_number(server_, {"EXISTS", "arq:result:job"}) == 1; };
    co_await until(ended);
  };
  run_on_loop(alongside(w, client()));
  EXPECT_EQ(state_in_result("job"), job_state::cancelled);
  EXPECT_NE(ask(server_, {"GET", "arq:result:job"}).text.find("CancelledError"), std::string::npos);
}

TEST(arqs, a_job_goes_there_and_back_over_tls) {
  const redis_server server({.tls = true});
  const auto url = "arqs" + server.url().substr(server.url().find(':')) + "?tls_ca=" + server.ca_file();
  const auto client = [&]() -> awaitable<int> {
    queue q(url);
    auto job = co_await q.enqueue(the_task(42, "x", true));
    worker w({.broker = url, .burst = true});
    w.handle(the_task, [](int n, std::string, bool) { return n; });
    co_await w.run();
    co_return co_await job.result();
  };
  EXPECT_EQ(run_on_loop(client()), 42);
}

}  // namespace
}  // namespace quarq::test::arq_worker_tests
