// Who may do what at the dashboard, and what a browser is told to refuse.
#include <fstream>

#include <quarq/http/events.hpp>

#include "dashboard/sign_in.hpp"
#include "dashboard/web_files.hpp"
#include "integration/dashboard_test.hpp"
#include "support/temp_dir.hpp"

namespace quarq::test::dashboard_access_tests {
namespace {

const std::string pause = R"({"queue": "default", "action": "pause"})";

class dashboard_access : public dashboard_test {
 protected:
  // As `quarq dashboard` does it.
  void serve_signed_in(dashboard::sign_in_options by, dashboard_options pages = {}) {
    web().use(dashboard::sign_in(by));
    pages.role_of = [by](const http::request& r) { return dashboard::identify(by, r).role; };
    serve_pages(std::move(pages));
  }
  static header bearer(const std::string& token) { return {"Authorization", "Bearer " + token}; }
};

TEST_P(dashboard_access, has_roles_by_token) {
  dashboard::sign_in_options by;
  by.token = "operators'";
  by.viewer_token = "viewers'";
  serve_signed_in(by);
  EXPECT_EQ(ask("GET", "/").status, 401);
  EXPECT_EQ(ask("GET", "/api/overview", "", {bearer("wrong")}).status, 401);
  EXPECT_EQ(ask("GET", "/api/overview", "", {bearer("")}).status, 401);
  const auto asked = ask("GET", "/");
  EXPECT_TRUE(asked.headers["WWW-Authenticate"].starts_with("Basic ")) << asked.headers["WWW-Authenticate"];
  EXPECT_EQ(ask("GET", "/api/overview", "", {bearer("viewers'")}).status, 200);
  EXPECT_EQ(ask("POST", "/api/queue", pause, {bearer("viewers'")}).status, 403);
  EXPECT_EQ(ask("POST", "/api/queue", pause, {bearer("operators'")}).status, 200);
  // "ann:operators'"
  EXPECT_EQ(ask("POST", "/api/queue", pause, {{"Authorization", "Basic YW5uOm9wZXJhdG9ycyc="}}).status, 200);
  const auto changes = json::parse(ask("GET", "/api/audit", "", {bearer("viewers'")}).body).as_array();
  ASSERT_EQ(changes.size(), 2u);
  EXPECT_EQ(changes[0].at("user").as_string(), "ann");
  EXPECT_EQ(changes[0].at("action").as_string(), "pause");
}

TEST_P(dashboard_access, believes_a_proxy_that_is_trusted) {
  dashboard::sign_in_options by;
  by.user_header = "X-Forwarded-User";
  by.operators = {"ann"};
  serve_signed_in(by);
  EXPECT_EQ(ask("GET", "/api/overview").status, 401);
  EXPECT_EQ(ask("GET", "/api/overview", "", {{"X-Forwarded-User", "bob"}}).status, 200);
  EXPECT_EQ(ask("POST", "/api/queue", pause, {{"X-Forwarded-User", "bob"}}).status, 403);
  EXPECT_EQ(ask("POST", "/api/queue", pause, {{"X-Forwarded-User", "ann"}}).status, 200);
}

TEST_P(dashboard_access, does_not_believe_other_hosts) {
  dashboard::sign_in_options by;
  by.user_header = "X-Forwarded-User";
  by.proxies = {"192.0.2.1"};
  by.operators = {"*"};
  serve_signed_in(by);
  EXPECT_EQ(ask("GET", "/api/overview", "", {{"X-Forwarded-User", "ann"}}).status, 401);
}

TEST_P(dashboard_access, refuses_writes_of_other_sites) {
  serve_pages();
  for (const auto* const site : {"cross-site", "same-site"}) {
    EXPECT_EQ(ask("POST", "/api/queue", pause, {{"Sec-Fetch-Site", site}}).status, 403) << site;
  }
  EXPECT_EQ(ask("POST", "/api/queue", pause, {{"Origin", "https://elsewhere.example"}}).status, 403);
  EXPECT_EQ(ask("POST", "/api/queue", pause, {{"Origin", "null"}}).status, 403);
  EXPECT_EQ(ask("POST", "/api/queue", pause, {{"Content-Type", "text/plain"}}).status, 415);
  EXPECT_EQ(ask("PUT", "/api/queue", pause).status, 405);
  EXPECT_EQ(ask("POST", "/", pause).status, 405);
  EXPECT_TRUE(get("/api/audit").as_array().empty());
  EXPECT_EQ(ask("POST", "/api/queue", pause, {{"Sec-Fetch-Site", "same-origin"}}).status, 200);
}

TEST_P(dashboard_access, without_a_token_is_for_this_machine) {
  web().use(dashboard::refuse_foreign_hosts());
  serve_pages();
  EXPECT_EQ(ask("GET", "/").status, 200);
  EXPECT_EQ(ask("GET", "/", "", {{"Host", "localhost:8090"}}).status, 200);
  EXPECT_EQ(ask("GET", "/", "", {{"Host", "[::1]:8090"}}).status, 200);
  EXPECT_EQ(ask("GET", "/", "", {{"Host", "evil.example"}}).status, 421);
}

TEST_P(dashboard_access, serves_pages_below_a_prefix_under_a_strict_policy) {
  dashboard_options options;
  options.prefix = "/ops/jobs";
  serve_pages(options);
  const auto there = ask("GET", "");
  EXPECT_EQ(there.status, 200);  // after the redirect to jobs/
  const auto page = ask("GET", "/");
  EXPECT_EQ(page.status, 200);
  const auto policy = page.headers["Content-Security-Policy"];
  EXPECT_NE(policy.find("default-src 'none'; script-src 'self'"), policy.npos);
  EXPECT_EQ(policy.find("unsafe"), policy.npos);
  EXPECT_EQ(page.headers["X-Content-Type-Options"], "nosniff");
  EXPECT_EQ(page.body.find("<script>"), std::string::npos);
  EXPECT_EQ(page.body.find(" style="), std::string::npos);
  const std::string version(dashboard::web_version());
  EXPECT_NE(page.body.find("assets/" + version + "/main.js"), std::string::npos);
  const auto script = ask("GET", "/assets/" + version + "/main.js");
  EXPECT_EQ(script.status, 200);
  EXPECT_NE(script.headers["Cache-Control"].find("immutable"), std::string_view::npos);
  EXPECT_NE(script.body.find("import"), std::string::npos);
  const auto old = ask("GET", "/assets/other/main.js");
  EXPECT_EQ(old.headers["Cache-Control"].find("immutable"), std::string_view::npos);
  EXPECT_EQ(ask("GET", "/assets/" + version + "/../main.cpp").status, 404);
  EXPECT_EQ(ask("GET", "/none").status, 404);
}

// What a browser loads for the first page, but for plots.
TEST_P(dashboard_access, the_first_page_is_small) {
  std::size_t all = 0;
  for (const auto& file : dashboard::web_files()) all += file.gzipped.size();
  EXPECT_LE(all, 60'000u);
}

TEST_P(dashboard_access, streams_the_overview) {
  serve_pages();
  std::string first;
  const auto look = [&]() -> awaitable<void> {
    http::client client;
    http::event_stream events(client, url("/api/events"));
    const auto event = co_await events.next();
    if (event) first = event->data;
  };
  run_on_loop(look());
  EXPECT_TRUE(json::parse(first).at("queues").is_array()) << first;
}

TEST_P(dashboard_access, appends_changes_to_a_file) {
  const temp_dir folder;
  dashboard_options options;
  options.audit_file = folder / "audit.jsonl";
  serve_pages(options);
  post("/api/queue", pause);
  EXPECT_EQ(
      ask("POST", "/api/bulk", R"({"queue": "default", "action": "purge", "which": {"states": ["running"]}})")
          .status,
      422);
  std::ifstream in(options.audit_file);
  std::string line;
  std::getline(in, line);
  EXPECT_EQ(json::parse(line).at("outcome").as_string(), "1 paused");
  std::getline(in, line);
  EXPECT_EQ(json::parse(line).at("what").as_string(), "state=running");
  dashboard_options unwritable;
  unwritable.audit_file = folder / "no/such/folder";
  http::server other;
  EXPECT_THROW(serve_dashboard(other, queue("sqlite::memory:"), unwritable), usage_error);
}

std::vector<broker_kind> one_broker() {
  for (const auto& kind : broker_kinds()) {
    if (kind.name == "sqlite_normal") return {kind};
  }
  return {};
}

INSTANTIATE_TEST_SUITE_P(at, dashboard_access, testing::ValuesIn(one_broker()),
                         testing::PrintToStringParamName());

}  // namespace
}  // namespace quarq::test::dashboard_access_tests
