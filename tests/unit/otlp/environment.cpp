// OpenTelemetry's environment variables.
#include "otlp/environment.hpp"

#include <map>
#include <string>

#include <gtest/gtest.h>

#include <quarq/errors.hpp>

#include "support/secrets.hpp"

namespace quarq::otlp {
namespace {

using namespace std::chrono_literals;

struct read_environment {
  explicit read_environment(std::map<std::string, std::string> variables) : set(std::move(variables)) {
    here.variable = [this](const char* name) -> const char* {
      const auto found = set.find(name);
      return found == set.end() ? nullptr : found->second.c_str();
    };
    here.warn = [this](const std::string& line) { warnings += line + "\n"; };
    here.program = "shop";
    options = options_from(here);
    test::expect_no_secret("a warning", warnings);
  }
  read_environment(const read_environment&) = delete;
  read_environment& operator=(const read_environment&) = delete;

  std::map<std::string, std::string> set;
  std::string warnings;
  environment here;
  otlp_options options;
};

std::map<std::string, std::string> resource_by_name(const read_environment& of) {
  const auto all = resource_of(of.options, of.here);
  return {all.begin(), all.end()};
}

TEST(otlp_environment, without_variables_it_is_a_collector_of_this_machine) {
  const read_environment none({});
  EXPECT_EQ(url_of(none.options), "http://localhost:4318/v1/traces");
  EXPECT_EQ(none.options.timeout, 10s);
  EXPECT_EQ(none.options.max_batch, 512u);
  EXPECT_EQ(none.options.delay, 5s);
  EXPECT_TRUE(none.options.headers.empty());
  EXPECT_EQ(resource_by_name(none).at("service.name"), "unknown_service:shop");
  EXPECT_EQ(none.warnings, "");
  const read_environment empty({{"OTEL_EXPORTER_OTLP_ENDPOINT", ""}, {"OTEL_BSP_SCHEDULE_DELAY", ""}});
  EXPECT_EQ(url_of(empty.options), "http://localhost:4318/v1/traces");
  EXPECT_EQ(empty.warnings, "");
}

TEST(otlp_environment, the_path_is_appended_to_the_common_endpoint_only) {
  const auto url = [](std::map<std::string, std::string> variables) {
    return url_of(read_environment(std::move(variables)).options);
  };
  EXPECT_EQ(url({{"OTEL_EXPORTER_OTLP_ENDPOINT", "https://a:1"}}), "https://a:1/v1/traces");
  EXPECT_EQ(url({{"OTEL_EXPORTER_OTLP_ENDPOINT", "https://a/otlp/"}}), "https://a/otlp/v1/traces");
  EXPECT_EQ(url({{"OTEL_EXPORTER_OTLP_ENDPOINT", "https://a/v1/traces"}}), "https://a/v1/traces");
  EXPECT_EQ(url({{"OTEL_EXPORTER_OTLP_ENDPOINT", "http://a"},
                 {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://b/x"}}),
            "http://b/x");
}

TEST(otlp_environment, an_endpoint_that_is_no_url_is_refused) {
  for (const auto* const wrong : {"collector:4318", "grpc://a:4317", "http://", "http://a/?key=1"}) {
    otlp_options options;
    options.endpoint = wrong;
    EXPECT_THROW(url_of(options), usage_error) << wrong;
  }
  otlp_options options;
  options.endpoint = "http://ann:hunter2@:x";
  try {
    url_of(options);
    FAIL() << "nothing was thrown";
  } catch (const usage_error& e) {
    test::expect_no_secret("the error", e.what());
  }
}

TEST(otlp_environment, headers_are_pairs_with_percent_encoded_values) {
  const read_environment read({{"OTEL_EXPORTER_OTLP_HEADERS", "authorization=Bearer%20hunter2, x-team = a ,"},
                               {"OTEL_EXPORTER_OTLP_TRACES_HEADERS", "x-team=b%3Dc,x-odd=100%,x=%2"}});
  const std::vector<named_text> wanted = {
      {"authorization", "Bearer hunter2"}, {"x-team", "b=c"}, {"x-odd", "100%"}, {"x", "%2"}};
  EXPECT_EQ(read.options.headers, wanted);
}

TEST(otlp_environment, what_can_not_be_read_is_named_without_its_value) {
  const read_environment read(
      {{"OTEL_EXPORTER_OTLP_HEADERS", "a=1,hunter2,=hunter2,b=2"}, {"OTEL_EXPORTER_OTLP_TIMEOUT", "soon"}});
  EXPECT_EQ(read.options.headers.size(), 2u);
  EXPECT_NE(read.warnings.find("OTEL_EXPORTER_OTLP_HEADERS: item 2"), std::string::npos) << read.warnings;
  EXPECT_NE(read.warnings.find("OTEL_EXPORTER_OTLP_HEADERS: item 3"), std::string::npos) << read.warnings;
  EXPECT_NE(read.warnings.find("OTEL_EXPORTER_OTLP_TIMEOUT"), std::string::npos) << read.warnings;
  EXPECT_EQ(read.options.timeout, 10s);
}

TEST(otlp_environment, sets_batches_and_the_resource) {
  const read_environment read(
      {{"OTEL_BSP_MAX_QUEUE_SIZE", "100"},
       {"OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "200"},
       {"OTEL_BSP_SCHEDULE_DELAY", "0"},
       {"OTEL_EXPORTER_OTLP_TIMEOUT", "1500"},
       {"OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "2500"},
       {"OTEL_RESOURCE_ATTRIBUTES", "service.name=old,deployment.environment.name=test"},
       {"OTEL_SERVICE_NAME", "mailer"}});
  EXPECT_EQ(read.options.max_queue, 100u);
  EXPECT_EQ(read.options.max_batch, 100u) << "no batch is larger than what waits";
  EXPECT_EQ(read.options.delay, 0ms);
  EXPECT_EQ(read.options.timeout, 2'500ms);
  const auto resource = resource_by_name(read);
  EXPECT_EQ(resource.at("service.name"), "mailer");
  EXPECT_EQ(resource.at("deployment.environment.name"), "test");
  EXPECT_EQ(resource.at("telemetry.sdk.name"), "quarq");
  EXPECT_EQ(resource.at("telemetry.sdk.language"), "cpp");
}

TEST(otlp_environment, can_switch_traces_off) {
  const auto disabled = [](std::string value) {
    std::map<std::string, std::string> variables;
    variables["OTEL_SDK_DISABLED"] = std::move(value);
    return is_disabled(read_environment(std::move(variables)).here);
  };
  for (const auto* const yes : {"true", "TRUE", "True"}) EXPECT_TRUE(disabled(yes)) << yes;
  for (const auto* const no : {"", "false", "1", "yes"}) EXPECT_FALSE(disabled(no)) << no;
}

}  // namespace
}  // namespace quarq::otlp
