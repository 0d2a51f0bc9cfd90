// A task's handler in another process: what it knows of its job there.
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <tuple>
#include <vector>

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <quarq/detail/handler_in_process.hpp>
#include <quarq/errors.hpp>
#include <quarq/process_handler.hpp>
#include <quarq/process_pool.hpp>

#include "model/job_notes.hpp"
#include "model/sent_note.hpp"
#include "processes/untyped_pool.hpp"
#include "support/on_loop.hpp"

namespace quarq::test::handler_in_process_tests {
namespace {

constexpr task<std::string(int)> describe{"describe"};

std::string describe_job(context& ctx, int n) {
  return ctx.id() + "/" + ctx.task() + "/" + std::to_string(ctx.attempt()) + "/" + ctx.arguments_json() +
         "/" + std::to_string(n);
}

const process_handler on_processes(describe, describe_job);

context job_context() {
  return context(nullptr, {.id = "job-1", .task = "describe", .queue = "default", .attempts = 2});
}

std::string run_as_job(std::string arguments) {
  const auto pool = processes::make_untyped_pool({.size = 1});
  auto target = quarq::detail::process_target_of_handler(describe, &describe_job).value();
  target.name = describe.name();
  const context job = job_context();
  return run_on_loop(
      pool->run(target, std::move(arguments), std::nullopt, quarq::detail::pack_facts(job), {}));
}

TEST(handler_in_process, has_the_facts_and_the_arguments_of_its_job) {
  const auto result = run_as_job(encode_arguments(5));
  EXPECT_EQ(from_msgpack<std::string>(result, "result"), "job-1/describe/2/[5]/5");
}

TEST(handler_in_process, arguments_that_do_not_fit_are_told_from_its_own_failures) {
  try {
    run_as_job(encode_arguments(std::string("5")));
    FAIL() << "nothing was thrown";
  } catch (const quarq::detail::bad_payload& e) {
    EXPECT_EQ(std::string(e.what()).find("describe: "), 0u) << e.what();
  }
}

TEST(handler_in_process, without_a_job_the_context_is_empty) {
  process_pool pool({.size = 1});
  EXPECT_EQ(run_on_loop(pool.run(describe, 5)), "//0//5");
  EXPECT_EQ(run_on_loop(pool.run(describe_job, 6)), "//0//6");
}

int talk_much(context& ctx, int lines) {
  for (int i = 0; i < lines; ++i) ctx.log("line " + std::to_string(i));
  ctx.progress(7, 0);
  if (lines < 0) throw std::runtime_error("it failed");
  return lines;
}

int talk_by_threads(context& ctx, int lines) {
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < lines; ++i) ctx.log("line");
    });
  }
  for (auto& one : threads) one.join();
  return lines;
}

int talk_in_a_copy(context& ctx, int) {
  if (const pid_t copy = fork(); copy > 0) {
    waitpid(copy, nullptr, 0);
  } else {
    ctx.log("by the copy");
    _exit(0);
  }
  ctx.log("by the child");
  return 0;
}

int say(context& ctx, std::string text) {
  ctx.log(text);
  return 0;
}

int say_bytes(context& ctx, int) {
  ctx.log("one\ntwo\xff\n\n");
  return 0;
}

/// What a context gets.
class heard_notes final : public quarq::detail::notes_sink {
 public:
  void log(const context&, std::string_view text) override { lines.append(text).append("\n"); }
  void progress(const context&, std::uint64_t done, std::uint64_t) override {
    lines += std::to_string(done) + "%\n";
  }
  std::string lines;
};

template <class F, class T>
std::string notes_of(F function, T argument) {
  heard_notes heard;
  context job = job_context();
  model::context_access::set_notes(job, &heard);
  const auto pool = processes::make_untyped_pool({.size = 1});
  const auto target = quarq::detail::process_target_of<int, std::tuple<T>>(function);
  const auto listen = [&](std::string_view note) { model::pass_on(note, job); };
  try {
    run_on_loop(pool->run(target, encode_arguments(argument), std::nullopt, "", listen));
  } catch (const call_failed& e) {
    heard.lines += e.what();
  }
  return heard.lines;
}

TEST(handler_in_process, what_it_says_comes_before_its_result_in_order) {
  EXPECT_EQ(notes_of(&talk_much, 2), "line 0\nline 1\n7%\n");
  std::string expected;
  for (int i = 0; i < 20'000; ++i) expected += "line " + std::to_string(i) + "\n";
  EXPECT_EQ(notes_of(&talk_much, 20'000), expected + "7%\n");
}

TEST(handler_in_process, what_it_says_comes_before_its_failure) {
  EXPECT_EQ(notes_of(&talk_much, -1), "7%\nit failed");
}

TEST(handler_in_process, its_threads_may_say_something_at_the_same_time) {
  std::string expected;
  for (int i = 0; i < 8'000; ++i) expected += "line\n";
  EXPECT_EQ(notes_of(&talk_by_threads, 2'000), expected);
}

TEST(handler_in_process, a_copy_that_it_forks_says_nothing) {
  EXPECT_EQ(notes_of(&talk_in_a_copy, 0), "by the child\n");
}

TEST(handler_in_process, says_texts_of_any_size_and_bytes) {
  EXPECT_EQ(notes_of(&say_bytes, 0), "one\ntwo\xff\n");
  EXPECT_EQ(notes_of(&say, std::string()), "\n");
  const std::string part(1'000, 'x');
  std::string text;
  for (int i = 0; i < 200; ++i) text += part + '\n';
  EXPECT_EQ(notes_of(&say, text), text);
  EXPECT_EQ(notes_of(&say, std::string(1 << 20, 'x')).size(), model::max_log_line + 2)
      << "a longer line is cut";
}

TEST(handler_in_process, where_nobody_listens_it_says_nothing) {
  process_pool pool({.size = 1});
  EXPECT_EQ(run_on_loop(pool.run(&talk_much, 3)), 3);
}

TEST(handler_in_process, a_handler_with_captures_is_refused) {
  int captured = 1;
  const auto handler = [captured](int n) { return std::to_string(captured + n); };
  ++captured;  // so that the capture is needed
  EXPECT_FALSE(quarq::detail::process_target_of_handler(describe, handler));
}

TEST(job_facts, are_unpacked_as_they_were_packed) {
  using namespace std::chrono_literals;
  quarq::detail::job_facts facts{.id = "a", .task = "b", .queue = "c", .attempts = 3};
  facts.enqueued_at += 4ms;
  facts.due_at += 5ms;
  facts.losses = 6;
  facts.deadline = std::chrono::steady_clock::time_point(7s);
  facts.passes_deadline = false;
  facts.trace = {{1, 2}, {3, 4}, 5};
  quarq::detail::labels labels{{{"e", "f"}}, {"g", "h"}, 7};
  facts.its_labels = std::make_shared<const quarq::detail::labels>(labels);
  const context job(nullptr, facts);
  const auto read = quarq::detail::unpack_facts(quarq::detail::pack_facts(job));
  EXPECT_EQ(read.id, "a");
  EXPECT_EQ(read.task, "b");
  EXPECT_EQ(read.queue, "c");
  EXPECT_EQ(read.attempts, 3);
  EXPECT_EQ(read.enqueued_at, facts.enqueued_at);
  EXPECT_EQ(read.due_at, facts.due_at);
  EXPECT_EQ(read.losses, 6);
  EXPECT_EQ(read.deadline, facts.deadline);
  EXPECT_FALSE(read.passes_deadline);
  EXPECT_EQ(read.trace, facts.trace);
  ASSERT_TRUE(read.its_labels);
  EXPECT_EQ(*read.its_labels, labels);
  EXPECT_EQ(quarq::detail::unpack_facts(quarq::detail::pack_facts(context())).deadline, std::nullopt);
  EXPECT_THROW(quarq::detail::unpack_facts("nonsense"), decode_error);
}

}  // namespace
}  // namespace quarq::test::handler_in_process_tests
