// What no broker accepts, and what every broker passes on unchanged.
#include <algorithm>
#include <numeric>

#include <quarq/errors.hpp>

#include "integration/broker_conformance.hpp"

namespace quarq::test::broker_limits_tests {

BROKER_TEST(records_and_outcomes_may_be_any_bytes) {
  auto store = place.open(loop);
  std::string every_byte(256, '\0');
  std::iota(every_byte.begin(), every_byte.end(), '\0');
  std::string big(1 << 20, 'x');
  for (std::size_t i = 0; i < big.size(); ++i) big[i] = static_cast<char>(i * 31 + i / 256);
  strings records = {"", every_byte, big, std::string(3, '\0'), "\xff\xfe'\"; DROP TABLE jobs; --"};
  strings outcomes = records;
  if (!place.powers().any_bytes) {
    // Then those within: who translates must understand what is around them, or say that it does not.
    for (const auto& record : records) {
      auto one = job_named("not a record");
      one.record = record;
      auto text = co_await error_of<usage_error>(enqueue_one(*store, "q", one));
      EXPECT_NE(text.find("payload"), std::string::npos) << text;
    }
    for (auto& one : records) one = record_saying(one);
    for (auto& one : outcomes) one = outcome_saying(one);
  }
  std::vector<new_job> batch;
  for (const auto& record : records) {
    auto one = job_named("job" + std::to_string(batch.size()));
    one.record = record;
    batch.push_back(one);
  }
  co_await store->enqueue("q", batch);
  auto worker = co_await new_worker(store, "q");
  auto claimed = co_await store->claim(worker.held, 10);
  EXPECT_EQ(claimed.jobs.size(), records.size());
  std::vector<settlement> ends;
  for (std::size_t i = 0; i < claimed.jobs.size(); ++i) {
    EXPECT_TRUE(claimed.jobs[i].record == records[i]) << "record " << i;
    ends.push_back(end(claimed.jobs[i].id, job_state::succeeded, "", 1h));
    ends.back().outcome = outcomes[i];
  }
  co_await store->settle(worker.held, ends);
  for (std::size_t i = 0; i < records.size(); ++i) {
    auto end = co_await store->wait_ended("q", "job" + std::to_string(i));
    const bool same =
        end && (place.powers().any_bytes ? end->outcome == outcomes[i]
                                         : said_in_outcome(end->outcome) == said_in_outcome(outcomes[i]));
    EXPECT_TRUE(same) << "outcome " << i;
  }
}

BROKER_TEST(ids_may_be_any_text_of_up_to_255_bytes) {
  auto store = place.open(loop);
  const strings ids = {"'; DROP TABLE quarq_jobs; --",
                       "\"quoted\"",
                       "Größe 漢字 \xf0\x9f\x90\x9f",
                       "with space\tand\nline",
                       "{braces}:*?[x]",
                       "%s%n",
                       std::string(255, 'x'),
                       "ends with NUL" + std::string(1, '\0'),
                       "ends with NUL"};
  co_await enqueue_ids(*store, "Schlange: '{q}' 漢", ids);
  auto worker = co_await new_worker(store, "Schlange: '{q}' 漢");
  auto claimed = co_await claim_ids(worker, 20);
  EXPECT_EQ(claimed, ids);
  for (const auto& id : ids) {
    auto state = co_await state_of(*store, "Schlange: '{q}' 漢", id);
    EXPECT_TRUE(state == job_state::running) << id;
    const bool held = co_await settle_one(worker, end(id));
    EXPECT_TRUE(held) << id;
  }
}

BROKER_TEST(what_can_not_be_stored_is_refused_by_name) {
  auto store = place.open(loop);
  auto text = co_await error_of<usage_error>(enqueue_one(*store, "q", job_named("")));
  EXPECT_NE(text.find("id"), std::string::npos) << text;
  text = co_await error_of<usage_error>(enqueue_one(*store, "q", job_named(std::string(256, 'x'))));
  EXPECT_NE(text.find("255"), std::string::npos) << text;
  text = co_await error_of<usage_error>(enqueue_one(*store, "", job_named("a")));
  EXPECT_NE(text.find("queue"), std::string::npos) << text;
  text = co_await error_of<usage_error>(enqueue_one(*store, "q", job_named("a", 10)));
  EXPECT_NE(text.find("priority"), std::string::npos) << text;
  text = co_await error_of<usage_error>(enqueue_one(*store, "q", job_named("a", -1)));
  EXPECT_NE(text.find("priority"), std::string::npos) << text;
  // One bad job among good ones: none of them is stored.
  const strings ids = {"good", "", "good too"};
  auto mixed = store->enqueue("q", jobs_named(ids));
  text = co_await error_of<usage_error>(std::move(mixed));
  EXPECT_NE(text.find("id"), std::string::npos) << text;
  auto summary = co_await summary_of(*store, "q");
  EXPECT_EQ(summary.queued, 0u);
}

BROKER_TEST(what_was_acknowledged_is_there_after_the_store_was_killed) {
  auto store = place.open(loop);
  co_await store->enqueue("q", numbered_jobs(100));
  const bool killed = place.kill_and_restart();
  if (!killed) co_return;  // Nothing serves it: the death of its writers is a test of its own.
  auto worker = co_await new_worker(store, "q");
  auto ids = co_await claim_ids(worker, 200);
  EXPECT_EQ(ids.size(), 100u);
}

}  // namespace quarq::test::broker_limits_tests
