// Arguments that break their model: refused where they are enqueued; and found in an old record, the end of their job.
#include <string>
#include <vector>

#include <boost/describe.hpp>

#include <quarq/model.hpp>

#include "integration/worker_test.hpp"

namespace quarq::test::worker_models_tests {

struct any_guest {
  std::string name;
  int age = 0;
};
BOOST_DESCRIBE_STRUCT(any_guest, (), (name, age))

struct guest {
  std::string name;
  int age = 0;
  std::string email;
};
BOOST_DESCRIBE_STRUCT(guest, (), (name, age, email))
QUARQ_MODEL(guest, field(&guest::name).length(1, 80), field(&guest::age).range(0, 150),
            field(&guest::email).format(format::email))

namespace {

// As an older program has it, whose struct had neither a model nor the third member.
constexpr task<void(std::string, any_guest)> invite_before{"invite", "to", "who"};
constexpr task<void(std::string, guest)> invite{"invite", "to", "who"};

void do_invite(const std::string&, const guest&) {}
awaitable<void> invite_on_loop(std::string, guest) {
  co_return;
}

class worker_models : public worker_test {};

TEST_P(worker_models, what_breaks_its_model_is_not_stored) {
  without_worker([](queue q) -> awaitable<void> {
    bool is_refused = false;
    try {
      const guest nobody{"", 151, "no address"};
      auto job = co_await q.enqueue(invite("a party", nobody));
    } catch (const invalid_value& e) {
      is_refused = true;
      EXPECT_EQ(e.errors().size(), 3u) << e.what();
    }
    EXPECT_TRUE(is_refused);
    const auto stored = co_await q.cancel(job_filter());
    EXPECT_EQ(stored.cancelled, 0u);
  });
}

TEST_P(worker_models, an_old_record_ends_its_job_as_dead_at_once_with_all_its_errors) {
  const handler_options on_loop{.on = level::loop, .retry = backoff::constant(1ms).attempts(5)};
  auto on_thread = on_loop, in_process = on_loop;
  on_thread.on = level::thread;
  in_process.on = level::process;
  for (const auto& how : {on_loop, on_thread, in_process}) {
    worker w(options());
    if (how.on == level::loop) {
      w.handle(invite, invite_on_loop, how);
    } else {
      w.handle(invite, &do_invite, how);
    }
    serve(w, [&](queue q) -> awaitable<void> {
      const any_guest old{"", 151};
      const auto job = co_await q.enqueue(invite_before("a party", old));
      const auto t = co_await error_of(job.result(default_timeout));
      const auto* failed = t.as<job_failed>();
      EXPECT_EQ(failed == nullptr ? t.what : failed->type(), "quarq::decode_error");
      for (const char* one :
           {"invite: argument 2", "3 errors: ", "name: String should have at least 1 character",
            "age: Input should be less than or equal to 150", "email: Field required"}) {
        EXPECT_NE(t.what.find(one), std::string::npos) << one << " is not in: " << t.what;
      }
      const auto info = co_await job.info();
      EXPECT_EQ(info.state, job_state::dead);
      EXPECT_EQ(info.attempts, 1);
    });
  }
}

AT_EACH_BROKER(worker_models);

}  // namespace
}  // namespace quarq::test::worker_models_tests
