// A task's handler in another process: what it knows of its job there.
#include <optional>
#include <string>

#include <gtest/gtest.h>

#include <quarq/detail/handler_in_process.hpp>
#include <quarq/process_handler.hpp>
#include <quarq/process_pool.hpp>

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
  return run_on_loop(pool->run(target, std::move(arguments), std::nullopt, quarq::detail::pack_facts(job)));
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
  facts.traceparent = "d";
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
  EXPECT_EQ(read.traceparent, "d");
  ASSERT_TRUE(read.its_labels);
  EXPECT_EQ(*read.its_labels, labels);
  EXPECT_EQ(quarq::detail::unpack_facts(quarq::detail::pack_facts(context())).deadline, std::nullopt);
  EXPECT_THROW(quarq::detail::unpack_facts("nonsense"), decode_error);
}

}  // namespace
}  // namespace quarq::test::handler_in_process_tests
