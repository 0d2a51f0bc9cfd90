// The commands that cancel, requeue and purge jobs.
#include <condition_variable>
#include <mutex>
#include <stop_token>
#include <thread>

#include <quarq/errors.hpp>

#include "broker/broker.hpp"
#include "integration/cli_test.hpp"
#include "support/default_timeout.hpp"

namespace quarq::test::cli_tests {
namespace {

using namespace std::chrono_literals;

constexpr task<void()> wait_for_stop{"wait_for_stop"};

const std::string filter_option_names =
    "--task, --error, --error-type, --text, --tag, --id-prefix, --older-than, --since or --until";

class cli_manage : public cli_test {};

INSTANTIATE_TEST_SUITE_P(at, cli_manage, testing::ValuesIn(cli_brokers()),
                         [](const auto& p) { return p.param.name; });

TEST_P(cli_manage, cancel_says_what_became_of_each) {
  enqueued({"t", "--id", "a"});
  enqueued({"add", "1", "2", "--id", "done"});
  enqueued({"t", "--id", "b", "--delay", "1h"});
  const auto cancelled = quarq({"cancel", "a", "b"});
  expect_good(cancelled);
  EXPECT_EQ(cancelled.out, "a: cancelled\nb: cancelled\n");
  const auto a = quarq_json({"job", "a"});
  EXPECT_EQ(a.at("state"), "cancelled");
  EXPECT_EQ(a.at("task"), "t");
  EXPECT_EQ(a.at("error_type"), "quarq::cancelled");
  EXPECT_EQ(a.at("error"), "t was cancelled before it ran");
  EXPECT_EQ(quarq({"cancel", "a"}).out, "a: too late: it has ended\n");
  work();
  const auto late = quarq({"cancel", "done"});
  expect_good(late);
  EXPECT_EQ(late.out, "done: too late: it has ended\n");
  const auto nobody = quarq({"cancel", "done", "nobody", "--json"});
  EXPECT_EQ(nobody.exit_code, 1);
  EXPECT_EQ(
      nobody.out,
      "[{\"id\": \"done\", \"outcome\": \"too_late\"}, {\"id\": \"nobody\", \"outcome\": \"not_found\"}]\n");
  EXPECT_EQ(quarq({"cancel", "nobody", "done"}).exit_code, 1) << "whichever of them it was";
}

TEST_P(cli_manage, a_running_job_is_seen_with_its_worker_and_can_be_cancelled) {
  enqueued({"wait_for_stop", "--id", "a"});
  auto o = options();
  o.max_jobs = 1;
  o.concurrency = 7;
  worker w(o);
  strings seen;
  const auto look = [&] {
    const auto workers = quarq_json({"workers"});
    EXPECT_EQ(workers.as_array().size(), 1u);
    EXPECT_EQ(workers.at(0).at("running"), 1);
    EXPECT_EQ(workers.at(0).at("concurrency"), 7);
    EXPECT_GT(workers.at(0).at("lease_ms").as_int64(), 0);
    const auto job = quarq_json({"job", "a"});
    EXPECT_EQ(job.at("state"), "running");
    EXPECT_EQ(job.at("worker"), workers.at(0).at("worker"));
    const auto table = lines_of(quarq({"workers"}).out);
    EXPECT_EQ(table.size(), 2u);
    EXPECT_EQ(table.at(0).substr(table.at(0).find("RUNNING")), "RUNNING  DONE  CONCURRENCY  LEASE  TASKS");
    EXPECT_TRUE(table.at(1).ends_with("wait_for_stop")) << table.at(1);
    EXPECT_EQ(workers.at(0).at("tasks"), (boost::json::array{"wait_for_stop"}));
    EXPECT_EQ(workers.at(0).at("tasks_not_named"), 0);
    expect_error(quarq({"purge", "--state", "running", "--yes"}), 2,
                 "--state: running jobs can't be purged, cancel them instead (see quarq purge --help)");
    const auto r = quarq({"cancel", "a"});
    expect_good(r);
    seen = lines_of(r.out);
  };
  // On the worker's thread pool, so that its loop goes on.
  w.handle(wait_for_stop, [&](std::stop_token stop) {
    look();
    std::mutex mutex;
    std::condition_variable_any stopped;
    std::unique_lock lock(mutex);
    stopped.wait_for(lock, stop, default_timeout, [] { return false; });
    if (stop.stop_requested()) throw cancelled("stopped");
  });
  run_on_loop(w.run());
  EXPECT_EQ(seen, strings{"a: requested: it is running, and its worker has been told to stop it"});
  EXPECT_EQ(state_of("a"), "cancelled");
}

TEST_P(cli_manage, a_job_that_waits_for_another_one_says_for_which) {
  constexpr task<void()> parent{"parent"}, child{"child"};
  enqueued({"parent", "--id", "the-parent"});
  auto o = options();
  o.max_jobs = 2;
  o.concurrency = 1;
  worker w(o);
  w.handle(parent, [&](context& ctx) -> awaitable<void> {
    const auto job = co_await ctx.enqueue(child().id("the-child"));
    co_await job.result();
  });
  // On a thread, so that the worker's loop goes on.
  w.handle(child, [&] {
    const auto deadline = std::chrono::steady_clock::now() + default_timeout;
    auto job = quarq_json({"job", "the-parent"});
    while (job.at("waits_for").is_null() && std::chrono::steady_clock::now() < deadline) {
      std::this_thread::yield();
      job = quarq_json({"job", "the-parent"});
    }
    EXPECT_EQ(job.at("waits_for"), "the-child");
    const auto text = quarq({"job", "the-parent"}).out;
    EXPECT_NE(text.find("waits for  job the-child\n"), std::string::npos) << text;
    EXPECT_EQ(quarq_json({"workers"}).at(0).at("waiting"), 1);
    EXPECT_NE(quarq({"workers"}).out.find(" 2 (1 waiting) "), std::string::npos);
  });
  run_on_loop(w.run());
  EXPECT_EQ(w.jobs_done(), 2u);
}

TEST_P(cli_manage, dead_jobs_are_requeued_by_name_or_all) {
  for (const auto* id : {"a", "b", "c"}) enqueued({"add", "--string", "two", "three", "--id", id});
  work();
  ASSERT_EQ(state_of("a"), "dead");
  const auto two = quarq({"requeue", "a", "nobody", "a"});
  EXPECT_EQ(two.exit_code, 1);
  EXPECT_EQ(two.out, "1 requeued\n");
  EXPECT_EQ(two.err, "quarq: no job with id \"nobody\"\n");
  EXPECT_EQ(state_of("a"), "queued");
  const auto queued = quarq({"requeue", "a"});
  EXPECT_EQ(queued.exit_code, 1);
  EXPECT_EQ(queued.err, "quarq: a is queued, not dead\n");
  const auto all = quarq({"requeue", "--all-dead"});
  expect_good(all);
  EXPECT_EQ(all.out, "2 requeued\n");
  EXPECT_EQ(quarq({"requeue", "--all-dead", "--json"}).out, "{\"requeued\": 0, \"not_dead\": []}\n");
  for (const strings& wrong : {strings{"requeue"}, strings{"requeue", "a", "--all-dead"}}) {
    expect_error(quarq(wrong), 2,
                 "requeue: expected either the ids of dead jobs or which ones: " + filter_option_names +
                     ", or --all-dead (see quarq requeue --help)");
  }
}

TEST_P(cli_manage, purge_asks_on_a_terminal_and_refuses_without_one) {
  enqueued({"t", "--id", "a"});
  const strings purge = {"purge", "--state", "queued"};
  expect_error(quarq(purge), 2,
               "purge asks before it forgets jobs, and there is no terminal to ask on: give --yes "
               "(see quarq purge --help)");
  command_options typed;
  typed.terminal = true;
  typed.input = "n\n";
  const auto no = quarq(purge, typed);
  EXPECT_EQ(no.exit_code, 1);
  EXPECT_EQ(no.err, "Forget all queued jobs of queue default at " + broker::without_password(url()) +
                        "? [y/N] quarq: nothing was purged\n");
  EXPECT_EQ(state_of("a"), "queued");
  typed.input = "\n";
  EXPECT_EQ(quarq(purge, typed).exit_code, 1) << "[y/N]: just Enter is no";
  EXPECT_EQ(state_of("a"), "queued");
  typed.input = "y\n";
  const auto yes = quarq(purge, typed);
  EXPECT_EQ(yes.exit_code, 0);
  EXPECT_EQ(yes.out, "1 purged\n");
  EXPECT_EQ(quarq({"job", "a"}).exit_code, 1);
  enqueued({"t"});
  enqueued({"t"});
  EXPECT_EQ(quarq({"purge", "--state", "queued", "--yes", "--json"}).out, "{\"purged\": 2}\n");
}

TEST_P(cli_manage, jobs_are_cancelled_by_task_and_state) {
  for (const auto* id : {"a", "b"}) enqueued({"mail", "--id", id});
  enqueued({"mail", "--id", "later", "--delay", "1h"});
  enqueued({"add", "1", "2", "--id", "other"});
  const strings cancel = {"cancel", "--task", "mail", "--state", "queued,running"};
  expect_error(
      quarq(cancel), 2,
      "cancel asks before it cancels all jobs that it finds, and there is no terminal to ask on: give "
      "--yes (see quarq cancel --help)");
  command_options typed;
  typed.terminal = true;
  typed.input = "n\n";
  const auto no = quarq(cancel, typed);
  EXPECT_EQ(no.exit_code, 1);
  EXPECT_EQ(no.err, "Cancel all queued and running jobs of task mail of queue default at " +
                        broker::without_password(url()) + "? [y/N] quarq: nothing was cancelled\n");
  typed.input = "y\n";
  const auto yes = quarq(cancel, typed);
  EXPECT_EQ(yes.exit_code, 0);
  EXPECT_EQ(yes.out, "2 cancelled\n");
  EXPECT_EQ(state_of("a"), "cancelled");
  EXPECT_EQ(state_of("later"), "deferred");
  EXPECT_EQ(state_of("other"), "queued");
  const auto none = quarq({"cancel", "--task", "nobody", "--yes"});
  expect_good(none);
  EXPECT_EQ(none.out, "0 cancelled\n");
  EXPECT_EQ(quarq({"cancel", "--all", "--older-than", "1h", "--yes"}).exit_code, 2);
  EXPECT_EQ(quarq({"cancel", "--older-than", "1h", "--yes", "--json"}).out,
            "{\"cancelled\": 0, \"requested\": 0}\n");
  EXPECT_EQ(quarq({"cancel", "--all", "--yes"}).out, "2 cancelled\n");
}

TEST_P(cli_manage, what_cancel_can_not_do_is_said) {
  const std::string which = "cancel: expected either the ids of jobs or which ones: --state, " +
                            filter_option_names + ", or --all (see quarq cancel --help)";
  expect_error(quarq({"cancel"}), 2, which);
  expect_error(quarq({"cancel", "a", "--all"}), 2, which);
  expect_error(
      quarq({"cancel", "--state", "queued,dead", "--yes"}), 2,
      "--state: it is for jobs that are queued, deferred and running, not for those that are queued and "
      "dead (see quarq cancel --help)");
  const auto unknown = quarq({"cancel", "--state", "queued,waiting", "--yes"});
  EXPECT_EQ(unknown.exit_code, 2);
  EXPECT_NE(unknown.err.find("\"waiting\""), std::string::npos) << unknown.err;
}

TEST_P(cli_manage, dead_jobs_are_requeued_by_task_and_error) {
  for (const auto* id : {"a", "b"}) enqueued({"add", "--string", "two", "three", "--id", id});
  enqueued({"greet", "\"Ann\"", "--attempts", "1", "--id", "c"});
  work();
  expect_error(quarq({"requeue", "--task", "add", "a"}), 2,
               "requeue: expected either the ids of dead jobs or which ones: " + filter_option_names +
                   ", or --all-dead (see quarq requeue --help)");
  EXPECT_EQ(quarq({"requeue", "--task", "add", "--error", "no greeting"}).out, "0 requeued\n");
  EXPECT_EQ(quarq({"requeue", "--task", "add", "--error", "expected integer"}).out, "2 requeued\n");
  EXPECT_EQ(state_of("a"), "queued");
  EXPECT_NE(state_of("c"), "queued");
}

TEST_P(cli_manage, queues_are_paused_and_resumed) {
  const auto two = quarq({"pause", "mails", "default"});
  expect_good(two);
  EXPECT_EQ(two.out, "mails: paused\ndefault: paused\n");
  EXPECT_EQ(quarq({"pause", "--queue", "mails"}).out, "mails: was paused already\n");
  enqueued({"add", "1", "2", "--id", "waits"});
  work();
  EXPECT_EQ(state_of("waits"), "queued");
  EXPECT_EQ(quarq({"resume", "--json"}).out,
            "[{\"queue\": \"default\", \"paused\": false, \"changed\": true}]\n");
  EXPECT_EQ(quarq({"resume"}).out, "default: was not paused\n");
  work();
  EXPECT_EQ(state_of("waits"), "succeeded");
  expect_error(quarq({"pause", "mails", "--queue", "default"}), 2,
               "pause: expected either the names of queues or --queue (see quarq pause --help)");
  const auto wrong = quarq({"pause", "other", "white space"});
  EXPECT_EQ(wrong.exit_code, 2);
  EXPECT_EQ(quarq_json({"queues", "--queue", "other"}).as_array().size(), 0u)
      << "all names are checked before";
}

TEST_P(cli_manage, a_command_that_waits_for_a_job_of_a_paused_queue_says_why) {
  expect_good(quarq({"pause"}));
  const auto waited = quarq({"enqueue", "add", "1", "2", "--id", "waits", "--wait=2500ms"});
  EXPECT_EQ(waited.exit_code, 1);
  EXPECT_TRUE(waited.err.starts_with("quarq: job waits (task add) waits, and queue default is paused\n"))
      << waited.err;
}

}  // namespace
}  // namespace quarq::test::cli_tests
