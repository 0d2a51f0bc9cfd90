// The dashboard's API: what it shows, and what it changes.
#include <set>

#include "integration/dashboard_test.hpp"
#include "support/openmetrics.hpp"

namespace quarq::test::dashboard_tests {
namespace {

constexpr task<int(int)> twice{"twice"};
constexpr task<void(std::string)> greet{"greet", "whom"};

struct account {
  std::string user, password;
};
BOOST_DESCRIBE_STRUCT(account, (), (user, password))
constexpr task<void(account)> sign_up{"sign_up", "who"};

class dashboard_api : public dashboard_test {
 protected:
  // Jobs of greet die: "no greeting for ...".
  void work() {
    auto o = options();
    o.burst = o.burst_includes_deferred = true;
    worker w(o);
    w.handle(twice, [](int n) { return 2 * n; });
    w.handle(greet, [](std::string whom) { throw std::runtime_error("no greeting for " + whom); },
             {.retry = backoff::constant(0ms).attempts(2)});
    run_on_loop(w.run());
  }
  template <class R>
  std::string enqueue(call<R> what) {
    return run_on_loop([this, &what]() -> awaitable<std::string> {
      queue q(options().broker);
      auto sent = q.enqueue(std::move(what));
      const auto job = co_await std::move(sent);
      co_return job.id();
    });
  }
};

TEST_P(dashboard_api, shows_queues_jobs_and_one_job) {
  serve_pages();
  const auto id = enqueue(twice(21));
  const auto queue = get("/api/overview").at("queues").as_array().at(0).as_object();
  EXPECT_EQ(queue.at("name").as_string(), "default");
  EXPECT_EQ(queue.at("queued").to_number<int>(), 1);
  EXPECT_NE(queue.at("unserved").as_string(), "");
  EXPECT_GT(queue.at("oldest").to_number<std::int64_t>(), 1'600'000'000'000);
  const auto list = get("/api/jobs?queue=default&state=queued");
  ASSERT_EQ(list.at("jobs").as_array().size(), 1u);
  EXPECT_EQ(list.at("next").as_string(), "");
  EXPECT_EQ(list.at("looked_at").to_number<int>(), 1);
  const auto job = get("/api/job?queue=default&id=" + id).as_object();
  EXPECT_EQ(job.at("task").as_string(), "twice");
  EXPECT_EQ(job.at("state").as_string(), "queued");
  EXPECT_EQ(job.at("arguments").as_string(), "[21]");
  EXPECT_EQ(ask("GET", "/api/job?queue=default&id=none").status, 404);
  EXPECT_EQ(ask("GET", "/api/jobs?queue=default&state=asleep").status, 422);
  EXPECT_EQ(ask("GET", "/api/jobs").status, 422);
  EXPECT_EQ(ask("GET", "/api/nothing").status, 404);
}

TEST_P(dashboard_api, pages_through_all_jobs_once) {
  serve_pages();
  for (int i = 0; i < 57; ++i) enqueue(twice(i));
  std::set<std::string> ids;
  std::string from;
  int pages = 0;
  do {
    const auto page = get("/api/jobs?queue=default&state=queued&limit=10&from=" + from);
    for (const auto& job : page.at("jobs").as_array()) {
      EXPECT_TRUE(ids.emplace(job.at("id").as_string()).second);
    }
    from.clear();
    for (const char c : page.at("next").as_string())
      from += fmt::format("%{:02x}", static_cast<unsigned char>(c));
    ASSERT_LT(++pages, 20);
  } while (!from.empty());
  EXPECT_EQ(ids.size(), 57u);
  EXPECT_GE(pages, 6);
  EXPECT_EQ(ask("GET", "/api/jobs?queue=default&from=queued").status, 422);
}

TEST_P(dashboard_api, filters_by_what_is_shown) {
  serve_pages();
  const auto seven = enqueue(twice(7));
  enqueue(twice(8));
  enqueue(greet("ann"));
  work();
  enqueue(twice(77));
  const auto found = [&](const std::string& filter) {
    return get("/api/jobs?queue=default&" + filter).at("jobs").as_array().size();
  };
  EXPECT_EQ(found("task=twice&state=queued"), 1u);
  EXPECT_EQ(found("text=77"), 1u);
  EXPECT_EQ(found("state=dead&error=runtime_error:%20no%20greeting"), 1u);
  EXPECT_EQ(found("state=dead&error=other"), 0u);
  EXPECT_EQ(found("since=1&state=queued"), 1u);
  EXPECT_EQ(found("until=1000000000000&state=queued"), 0u);
  EXPECT_EQ(found("state=succeeded&id=" + seven), 1u);
  EXPECT_EQ(get("/api/count?queue=default&state=dead&task=greet").at("count").to_number<int>(), 1);
}

TEST_P(dashboard_api, pauses_and_resumes_queues) {
  serve_pages();
  enqueue(twice(1));
  EXPECT_EQ(post("/api/queue", R"({"queue": "default", "action": "pause"})").at("outcome").as_string(),
            "paused");
  const auto paused = queue_when("default", [](const auto& q) { return q.at("paused").as_bool(); });
  EXPECT_EQ(paused.at("queued").to_number<int>(), 1);
  post("/api/queue", R"({"queue": "default", "action": "resume"})");
  queue_when("default", [](const auto& q) { return !q.at("paused").as_bool(); });
  EXPECT_EQ(ask("POST", "/api/queue", R"({"queue": "default", "action": "stop"})").status, 422);
  EXPECT_EQ(ask("POST", "/api/queue", R"({"queue": "a b", "action": "pause"})").status, 422);
  EXPECT_EQ(ask("POST", "/api/queue", R"({"queue")").status, 400);
}

TEST_P(dashboard_api, cancels_and_requeues_one_job) {
  serve_pages();
  const auto waits = enqueue(twice(1).delay(1h));
  EXPECT_EQ(post("/api/job", R"({"queue": "default", "action": "cancel", "id": ")" + waits + "\"}")
                .at("outcome")
                .as_string(),
            "cancelled");
  const auto dies = enqueue(greet("ann"));
  work();
  EXPECT_EQ(get("/api/job?queue=default&id=" + dies).at("state").as_string(), "dead");
  const auto again = R"({"queue": "default", "action": "requeue", "id": ")" + dies + "\"}";
  EXPECT_EQ(post("/api/job", again).at("count").to_number<int>(), 1);
  EXPECT_EQ(get("/api/job?queue=default&id=" + dies).at("state").as_string(), "queued");
  EXPECT_EQ(post("/api/job", again).at("count").to_number<int>(), 0);
  EXPECT_EQ(ask("POST", "/api/job", R"({"queue": "default", "action": "cancel", "id": "none"})").status, 404);
}

TEST_P(dashboard_api, changes_all_jobs_that_match) {
  serve_pages();
  for (int i = 0; i < 20; ++i) enqueue(greet(i < 15 ? "ann" : "bob"));
  work();
  const std::string dead_ann = R"("which": {"states": ["dead"], "text": "ann"})";
  EXPECT_EQ(get("/api/count?queue=default&state=dead&text=ann").at("count").to_number<int>(), 15);
  const auto requeued = post("/api/bulk", R"({"queue": "default", "action": "requeue", )" + dead_ann + "}");
  EXPECT_EQ(requeued.at("count").to_number<int>(), 15);
  EXPECT_EQ(get("/api/count?queue=default&state=dead&text=bob").at("count").to_number<int>(), 5);
  const auto cancelled =
      post("/api/bulk",
           R"({"queue": "default", "action": "cancel", "which": {"states": ["queued"], "task": "greet"}})");
  EXPECT_EQ(cancelled.at("count").to_number<int>(), 15);
  const auto purged =
      post("/api/bulk", R"({"queue": "default", "action": "purge", "which": {"states": ["dead"]}})");
  EXPECT_EQ(purged.at("count").to_number<int>(), 5);
  // Not without a state, and not those in whose state it makes no sense.
  for (const auto* const states : {R"([])", R"(["dead", "queued"])", R"(["succeeded"])"}) {
    const auto sent =
        std::string(R"({"queue": "default", "action": "requeue", "which": {"states": )") + states + "}}";
    EXPECT_EQ(ask("POST", "/api/bulk", sent).status, 422) << states;
  }
}

TEST_P(dashboard_api, purges_what_matches) {
  serve_pages();
  for (int i = 0; i < 6; ++i) enqueue(twice(i));
  const auto purged =
      post("/api/bulk",
           R"({"queue": "default", "action": "purge", "which": {"states": ["queued"], "text": "[3]"}})");
  EXPECT_EQ(purged.at("count").to_number<int>(), 1);
  EXPECT_EQ(get("/api/count?queue=default&state=queued").at("count").to_number<int>(), 5);
}

TEST_P(dashboard_api, shows_attempts_labels_and_what_was_counted) {
  serve_pages();
  const auto id = enqueue(greet("ann").tag("eu").header("traceparent", "00-1-2-01").header("x-token", "t0p"));
  work();
  const auto job = get("/api/job?queue=default&id=" + id);
  const auto& history = job.at("history").as_array();
  ASSERT_EQ(history.size(), 2u) << json::serialize(job);
  EXPECT_EQ(history[0].at("number").to_number<int>(), 1);
  EXPECT_EQ(history[1].at("error").as_string(), "no greeting for ann");
  EXPECT_TRUE(history[0].at("finished").is_int64());
  const auto text = json::serialize(job);
  EXPECT_NE(text.find("00-1-2-01"), std::string::npos) << text;
  EXPECT_EQ(text.find("t0p"), std::string::npos) << text;
  EXPECT_EQ(job.at("tags").as_array().at(0).as_string(), "eu");
  // Workers report what they counted at their end, too.
  const auto stats = get("/api/stats?minutes=60");
  EXPECT_EQ(stats.at("steps").as_array().size(), 60u);
  std::int64_t failed = 0, retried = 0;
  for (const auto& step : stats.at("steps").as_array()) {
    failed += step.at("failed").to_number<std::int64_t>();
    retried += step.at("retried").to_number<std::int64_t>();
  }
  EXPECT_EQ(failed, 1) << json::serialize(stats);
  EXPECT_EQ(retried, 1);
  EXPECT_EQ(ask("GET", "/api/stats?minutes=x").status, 422);
}

TEST_P(dashboard_api, shows_the_log_and_the_progress_of_a_job) {
  serve_pages();
  const auto id = enqueue(twice(21));
  auto o = options();
  o.burst = true;
  worker w(o);
  w.handle(twice, [](context& ctx, int n) {
    ctx.log("<b>bold</b>");
    ctx.progress(21, 42);
    return 2 * n;
  });
  run_on_loop(w.run());
  const auto job = get("/api/job?queue=default&id=" + id);
  const auto& log = job.at("log").as_array();
  ASSERT_EQ(log.size(), 1u) << json::serialize(job);
  EXPECT_EQ(log[0].at("text").as_string(), "<b>bold</b>");
  EXPECT_EQ(log[0].at("attempt").to_number<int>(), 1);
  EXPECT_GE(log[0].at("at").to_number<std::int64_t>(), job.at("started").to_number<std::int64_t>());
  EXPECT_EQ(job.at("progress").at("done").to_number<int>(), 21);
  EXPECT_EQ(job.at("progress").at("total").to_number<int>(), 42);
  EXPECT_EQ(job.at("log_lines_cut").to_number<int>(), 0);
  const auto list = get("/api/jobs?queue=default&state=succeeded");
  const auto& listed = list.at("jobs").as_array().at(0);
  EXPECT_TRUE(listed.at("log").as_array().empty()) << "lists stay short";
  EXPECT_TRUE(listed.at("progress").is_null()) << json::serialize(listed);
  EXPECT_EQ(ask("GET", "/api/events?queue=default&id=none").status, 404);
  EXPECT_EQ(ask("GET", "/api/events?id=" + id).status, 422);
}

TEST_P(dashboard_api, hides_logs_with_payloads) {
  dashboard_options how;
  how.hide_payloads = true;
  serve_pages(how);
  const auto id = enqueue(greet("ann"));
  auto o = options();
  o.burst = true;
  worker w(o);
  w.handle(greet, [](context& ctx, std::string whom) { ctx.log("hello " + whom); });
  run_on_loop(w.run());
  const auto answer = ask("GET", "/api/job?queue=default&id=" + id);
  EXPECT_EQ(answer.body.find("hello"), std::string::npos) << answer.body;
  EXPECT_NE(answer.body.find("[redacted]"), std::string::npos) << answer.body;
}

TEST_P(dashboard_api, pauses_and_resumes_cron_jobs) {
  serve_pages();
  enqueue(twice(1));  // so that the queue is known
  const auto pause = R"({"queue": "default", "name": "nightly", "action": "pause"})";
  EXPECT_EQ(post("/api/cron", pause).at("count").to_number<int>(), 1);
  EXPECT_EQ(post("/api/cron", pause).at("count").to_number<int>(), 0);
  const auto crons = get("/api/crons").as_array();
  ASSERT_EQ(crons.size(), 1u);
  EXPECT_EQ(crons[0].at("name").as_string(), "nightly");
  EXPECT_TRUE(crons[0].at("paused").as_bool());
  EXPECT_EQ(get("/api/audit").as_array().at(0).at("action").as_string(), "pause cron");
  post("/api/cron", R"({"queue": "default", "name": "nightly", "action": "resume"})");
  EXPECT_TRUE(get("/api/crons").as_array().empty());
  EXPECT_EQ(ask("POST", "/api/cron", R"({"queue": "default", "name": "a b", "action": "pause"})").status,
            422);
  EXPECT_EQ(ask("POST", "/api/cron", R"({"queue": "default", "name": "a b", "action": "run"})").status, 422);
  EXPECT_EQ(ask("POST", "/api/cron", R"({"queue": "default", "name": "a", "action": "stop"})").status, 422);
}

TEST_P(dashboard_api, groups_dead_jobs_by_error) {
  serve_pages();
  for (const auto* const whom : {"7", "8", "9"}) enqueue(greet(whom));
  enqueue(greet("ann"));
  work();
  const auto groups = get("/api/errors?queue=default").at("groups").as_array();
  ASSERT_EQ(groups.size(), 2u);
  EXPECT_EQ(groups[0].at("count").to_number<int>(), 3);
  EXPECT_EQ(groups[0].at("task").as_string(), "greet");
  EXPECT_EQ(groups[0].at("error_type").as_string(), "std::runtime_error");
  EXPECT_EQ(groups[0].at("error").as_string(), "no greeting for ");
  EXPECT_EQ(groups[1].at("error").as_string(), "no greeting for ann");
}

TEST_P(dashboard_api, shows_workers_and_cron_jobs) {
  serve_pages();
  worker w(options());
  w.handle(twice, [](int n) { return 2 * n; });
  w.cron("nightly", [] {}, "30 3 * * *");
  json::array workers, crons;
  serve(w, [&](queue q) -> awaitable<void> {
    const auto job = co_await q.enqueue(twice(1));
    co_await job.result(default_timeout);
    // The dashboard has a loop of its own, and this one must go on meanwhile.
    const auto looks = [&] {
      const auto deadline = std::chrono::steady_clock::now() + default_timeout;
      do {
        workers = get("/api/workers").as_array();
        crons = get("/api/crons").as_array();
      } while ((crons.empty() || crons[0].at("next").is_null()) &&
               std::chrono::steady_clock::now() < deadline);
    };
    thread_pool_options one;
    one.size = 1;
    thread_pool pool(one);
    co_await pool.run(looks);
  });
  ASSERT_EQ(workers.size(), 1u);
  EXPECT_EQ(workers[0].at("queues").as_array().at(0).as_string(), "default");
  EXPECT_EQ(workers[0].at("concurrency").to_number<int>(), 100);
  ASSERT_EQ(crons.size(), 1u);
  EXPECT_EQ(crons[0].at("name").as_string(), "nightly");
  EXPECT_TRUE(crons[0].at("next").is_int64());
  EXPECT_TRUE(crons[0].at("known").as_bool());
  const auto ran = post("/api/cron", R"({"queue": "default", "name": "nightly"})");
  const std::string id(ran.at("outcome").as_string());
  EXPECT_EQ(get("/api/job?queue=default&id=" + id).at("task").as_string(), "cron:nightly");
}

TEST_P(dashboard_api, redacts_and_does_not_find_what_it_redacts) {
  serve_pages();
  const account ann{"ann", "hunter2"};
  const auto id = enqueue(sign_up(ann));
  const auto job = ask("GET", "/api/job?queue=default&id=" + id);
  EXPECT_EQ(job.body.find("hunter2"), std::string::npos);
  EXPECT_NE(job.body.find("[redacted]"), std::string::npos);
  EXPECT_NE(job.body.find("ann"), std::string::npos);
  EXPECT_EQ(get("/api/count?queue=default&text=hunter").at("count").to_number<int>(), 0);
  EXPECT_EQ(get("/api/count?queue=default&text=ann").at("count").to_number<int>(), 1);
}

TEST_P(dashboard_api, tells_prometheus_what_the_broker_knows) {
  serve_pages();
  enqueue(twice(1));
  enqueue(twice(1).delay(1h));
  const auto page = read_openmetrics(ask("GET", "/metrics").body);
  EXPECT_EQ(page.value("quarq_broker_up"), 1);
  EXPECT_EQ(page.value("quarq_queue_jobs", {{"queue", "default"}, {"state", "queued"}}), 1);
  EXPECT_EQ(page.value("quarq_queue_jobs", {{"queue", "default"}, {"state", "deferred"}}), 1);
  EXPECT_EQ(page.value("quarq_queue_workers", {{"queue", "default"}}), 0);
  EXPECT_TRUE(page.value("quarq_queue_oldest_ready_seconds", {{"queue", "default"}}).has_value());
}

INSTANTIATE_TEST_SUITE_P(at, dashboard_api, testing::ValuesIn(dashboard_api::brokers()),
                         testing::PrintToStringParamName());

}  // namespace
}  // namespace quarq::test::dashboard_tests
