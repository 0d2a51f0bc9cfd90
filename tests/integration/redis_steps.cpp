// More calls than one script takes go to Redis in several steps: what of them is stored when one step fails.
#include <string>
#include <vector>

#include <boost/asio/this_coro.hpp>

#include <quarq/errors.hpp>

#include "integration/broker_conformance.hpp"
#include "soak/tcp_proxy.hpp"
#include "support/redis_server.hpp"

namespace quarq::test::redis_steps_tests {

namespace {

// Three steps: a thousand small jobs; a thousand of which some are large, so that they take the connection for
// payloads; and five hundred small ones.
std::vector<new_job> jobs_of_three_steps() {
  auto jobs = numbered_jobs(2'500);
  for (std::size_t i = 1'000; i < 1'010; ++i) jobs[i].record = record_saying(std::string(1'000'000, 'x'));
  return jobs;
}

awaitable<void> fail_the_second_step(const std::string& scheme) {
  const auto loop = co_await boost::asio::this_coro::executor;
  redis_server server;
  soak::tcp_proxy proxy(server.port());
  const auto url = scheme + "://127.0.0.1:";
  auto elsewhere = broker::open(url + std::to_string(server.port()), loop);
  auto store = broker::open(url + std::to_string(proxy.port()) + "?timeout=2", loop);
  co_await store->queues();
  proxy.refuse_new();
  auto jobs = jobs_of_three_steps();
  const auto why = co_await error_of<broker_error>(store->enqueue("q", jobs));
  EXPECT_NE(why, "(no error)");
  auto summary = co_await summary_of(*elsewhere, "q");
  EXPECT_EQ(summary.queued, 1'500u);
  // What they say who have read docs/delivery.md: all of them again.
  const auto answers = co_await elsewhere->enqueue("q", jobs);
  for (std::size_t i = 0; i < answers.size(); ++i) {
    const bool is_of_second = i >= 1'000 && i < 2'000;
    EXPECT_EQ(answers[i], is_of_second ? accepted::yes : accepted::duplicate) << i;
  }
  summary = co_await summary_of(*elsewhere, "q");
  EXPECT_EQ(summary.queued, 2'500u);
}

/// The time that what the server remembers of each sender has to live, in ms; -1: for ever.
std::vector<std::int64_t> lives_of_senders(const redis_server& server) {
  std::vector<std::int64_t> lives;
  for (const auto& key : server.keys()) {
    if (key.find(":sender:") == key.npos) continue;
    const strings question = {"PTTL", key};
    lives.push_back(server.command(question).integer);
  }
  return lives;
}

awaitable<void> refuse_the_first_call(const std::string& scheme) {
  const auto loop = co_await boost::asio::this_coro::executor;
  redis_server server;
  auto store = broker::open(scheme + "://127.0.0.1:" + std::to_string(server.port()), loop);
  co_await store->set_paused("q", false);  // the server knows the queue
  const strings policy = {"CONFIG", "SET", "maxmemory-policy", "noeviction"};
  const strings full = {"CONFIG", "SET", "maxmemory", "1"}, roomy = {"CONFIG", "SET", "maxmemory", "0"};
  server.command(policy);
  server.command(full);
  const auto why = co_await error_of<broker_error>(store->enqueue("q", numbered_jobs(1)));
  EXPECT_NE(why.find("OOM"), std::string::npos) << why;
  server.command(roomy);
  co_await store->enqueue("q", numbered_jobs(1));
  const auto lives = lives_of_senders(server);
  EXPECT_EQ(lives.size(), 2u);  // operators' calls are remembered apart from those that enqueue
  for (const auto ms : lives) EXPECT_GT(ms, 0);
}

}  // namespace

class redis_steps : public testing::TestWithParam<std::string> {};

TEST_P(redis_steps, a_step_that_fails_leaves_the_others_done_and_all_can_be_sent_again) {
  run_on_loop(fail_the_second_step(GetParam()));
}

TEST_P(redis_steps, what_is_remembered_of_a_sender_ends_although_its_first_call_was_refused) {
  run_on_loop(refuse_the_first_call(GetParam()));
}

INSTANTIATE_TEST_SUITE_P(layouts, redis_steps, testing::Values("redis", "arq"),
                         [](const auto& each) { return each.param; });

}  // namespace quarq::test::redis_steps_tests
