// Asking a store how far jobs are, for those that want to know.
#include "clients/progress_watch.hpp"

#include <chrono>
#include <deque>
#include <map>
#include <memory>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

#include "model/job_notes.hpp"
#include "support/default_timeout.hpp"
#include "support/scripted_broker.hpp"

namespace quarq::test::progress_watch_tests {
namespace {

using clients::progress_watch;
using values = std::vector<std::uint64_t>;

class progress_watch_test : public ::testing::Test {
 protected:
  void say(const std::string& id, std::uint64_t done) {
    model::job_notes said;
    said.how_far = {done, 3};
    put(id, encode(said));
  }
  void put(const std::string& id, std::string note) {
    broker::job_details job;
    job.id = id;
    job.state = job_state::running;
    job.note = std::move(note);
    store_->put("q", std::move(job));
  }

  void listen(const std::string& id) {
    auto& stop = stops_.emplace_back();
    const auto hear = [this, id](const job_progress& said) { heard_[id].push_back(said.done); };
    boost::asio::co_spawn(loop_, progress_watch::report(watch_, id, hear),
                          boost::asio::bind_cancellation_slot(stop.slot(), [](std::exception_ptr) {}));
  }
  void leave() {
    for (auto& stop : stops_) stop.emit(boost::asio::cancellation_type::terminal);
  }

  template <class F>
  void run_until(F holds) {
    const auto deadline = std::chrono::steady_clock::now() + default_timeout;
    while (!holds()) {
      if (std::chrono::steady_clock::now() > deadline) throw std::runtime_error("waited in vain");
      loop_.run_one_for(std::chrono::milliseconds(100));
    }
  }

  manual_clock clock_;
  std::map<std::string, values> heard_;
  std::deque<boost::asio::cancellation_signal> stops_;
  boost::asio::io_context loop_{1};
  std::shared_ptr<scripted_broker> store_ = std::make_shared<scripted_broker>(clock_, loop_.get_executor());
  std::shared_ptr<progress_watch> watch_ =
      std::make_shared<progress_watch>(loop_.get_executor(), store_, "q");
};

TEST_F(progress_watch_test, tells_all_that_listen_of_each_change_once) {
  say("job", 1);
  listen("job");
  listen("job");
  run_until([&] { return heard_["job"].size() == 2; });
  const auto before = store_->count(operation::notes);
  run_until([&] { return store_->count(operation::notes) > before; });
  say("job", 2);
  run_until([&] { return heard_["job"].size() == 4; });
  EXPECT_EQ(heard_["job"], (values{1, 1, 2, 2}));
  for (const auto& call : store_->calls(operation::notes)) EXPECT_EQ(call.ids.size(), 1u);
}

TEST_F(progress_watch_test, asks_for_very_many_jobs_in_turn) {
  constexpr std::size_t count = 250;
  for (std::size_t i = 0; i < count; ++i) {
    const auto id = "job" + std::to_string(i);
    say(id, 1);
    listen(id);
  }
  run_until([&] { return heard_.size() == count; });
  const auto calls = store_->calls(operation::notes);
  ASSERT_EQ(calls.size(), 3u);
  for (const auto& call : calls) {
    EXPECT_EQ(call.ids.size(), progress_watch::max_asked);
    EXPECT_EQ(std::set<std::string>(call.ids.begin(), call.ids.end()).size(), call.ids.size());
  }
}

TEST_F(progress_watch_test, asks_nothing_and_leaves_the_loop_alone_while_nobody_listens) {
  loop_.poll();
  EXPECT_TRUE(loop_.stopped());
  loop_.restart();
  say("job", 1);
  listen("job");
  EXPECT_EQ(store_->count(operation::notes), 0u);
  run_until([&] { return heard_.contains("job"); });
  leave();
  loop_.poll();
  EXPECT_TRUE(loop_.stopped()) << "a timer keeps it from running out of work";
  loop_.restart();
  say("job", 2);
  listen("job");
  run_until([&] { return heard_["job"].size() == 2; });
}

TEST_F(progress_watch_test, asks_again_where_a_call_fails_or_a_note_can_not_be_read) {
  store_->fail(operation::notes);
  put("job", "\xc1");
  listen("job");
  listen("unknown");
  run_until([&] { return store_->count(operation::notes) == 2; });
  say("job", 3);
  run_until([&] { return heard_.contains("job"); });
  EXPECT_EQ(heard_["job"], values(1, 3));
  EXPECT_FALSE(heard_.contains("unknown"));
}

TEST_F(progress_watch_test, may_be_closed_while_somebody_listens) {
  say("job", 1);
  listen("job");
  loop_.poll();
  watch_->close();
  loop_.poll();
  EXPECT_EQ(store_.use_count(), 1);
  leave();
  loop_.poll();
  EXPECT_TRUE(loop_.stopped());
}

}  // namespace
}  // namespace quarq::test::progress_watch_tests
