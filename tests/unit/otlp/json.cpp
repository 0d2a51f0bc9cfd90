// Spans as OTLP's JSON, and the answers to them.
#include "otlp/json.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <boost/json.hpp>
#include <gtest/gtest.h>

#include "support/otlp_receiver.hpp"

namespace quarq::otlp {
namespace {

using namespace std::chrono_literals;

std::shared_ptr<const shared_attributes> shared(std::vector<shared_attributes::owned> all) {
  return shared_attributes::make(std::move(all));
}

const auto none = shared({});
const std::vector<named_text> of_no_service;

span_context example_context() {
  span_context of;
  of.trace_id = {0x0a, 0xf7, 0x65, 0x19, 0x16, 0xcd, 0x43, 0xdd,
                 0x84, 0x48, 0xeb, 0x21, 0x1c, 0x80, 0x31, 0x9c};
  of.span_id = {0xb7, 0xad, 0x6b, 0x71, 0x69, 0x20, 0x33, 0x31};
  return of;
}

finished_span example(const span_context& context, const shared_attributes& attributes = *none) {
  finished_span one{
      .context = context, .name = "process mail", .kind = span_kind::consumer, .shared = attributes};
  one.start = std::chrono::system_clock::time_point(1'700'000'000s + 5ns);
  one.end = one.start + 3ms;
  return one;
}

std::string request(request_writer& writer, const std::vector<finished_span>& all) {
  stored_spans stored;
  for (const auto& one : all) stored.add(one);
  return std::string(writer.write(stored));
}

test::received_span written_and_read(const finished_span& one) {
  const std::vector<named_text> resource = {{"service.name", "shop"}};
  request_writer writer(resource);
  return test::read_traces(request(writer, {one})).at(0);
}

TEST(otlp_json, has_ids_in_hexadecimal_and_times_as_strings) {
  const auto context = example_context();
  request_writer writer(of_no_service);
  const auto text = request(writer, {example(context)});
  EXPECT_NE(text.find(R"("traceId":"0af7651916cd43dd8448eb211c80319c","spanId":"b7ad6b7169203331")"),
            text.npos)
      << text;
  EXPECT_NE(text.find(R"("startTimeUnixNano":"1700000000000000005","endTimeUnixNano":"1700000000003000005")"),
            text.npos)
      << text;
  EXPECT_NE(text.find(R"("kind":5)"), text.npos) << text;
  EXPECT_EQ(text.find("parentSpanId"), text.npos) << text;
  EXPECT_EQ(text.find("status"), text.npos) << text;
}

TEST(otlp_json, says_all_that_a_span_has) {
  auto context = example_context();
  context.trace_state = "a=b";
  const std::vector<span_attribute> own = {{"text", "x"}, {"number", std::int64_t{-7}}};
  std::vector<span_context> links = {example_context(), example_context()};
  links[1].span_id = {2};
  const auto of_all = shared({{"queue", "mail"}, {"port", std::int64_t{6379}}});
  auto one = example(context, *of_all);
  one.parent_span_id = {1};
  one.attributes = own;
  one.links = links;
  one.dropped_links = 3;
  one.status = span_status::error;
  one.status_message = "no";
  const auto read = written_and_read(one);
  EXPECT_EQ(read.parent, "0100000000000000");
  EXPECT_EQ(read.trace_state, "a=b");
  EXPECT_EQ(read.attributes, (std::map<std::string, std::string>{
                                 {"text", "x"}, {"number", "-7"}, {"queue", "mail"}, {"port", "6379"}}));
  ASSERT_EQ(read.links.size(), 2u);
  EXPECT_EQ(read.links[1].second, "0200000000000000");
  EXPECT_EQ(read.status, 2);
  EXPECT_EQ(read.message, "no");
  EXPECT_EQ(read.resource.at("service.name"), "shop");
}

TEST(otlp_json, any_text_can_be_read_back) {
  const auto context = example_context();
  auto one = example(context);
  std::string all;
  for (char c = 0; c < 0x7f; ++c) all += c;
  all += "caf\xc3\xa9";
  one.name = all;
  one.status = span_status::error;
  one.status_message = "caf\xe9";
  const auto read = written_and_read(one);
  EXPECT_EQ(read.name, one.name);
  EXPECT_EQ(read.message, "caf\xef\xbf\xbd");
}

TEST(otlp_json, many_spans_are_one_request) {
  const auto context = example_context();
  request_writer writer(of_no_service);
  const std::vector<finished_span> all(1'000, example(context));
  EXPECT_EQ(test::read_traces(request(writer, all)).size(), 1'000u);
  EXPECT_TRUE(test::read_traces(request(writer, {})).empty());
}

// More than are remembered, and each a second time.
TEST(otlp_json, shared_attributes_are_those_of_each_span) {
  const auto context = example_context();
  std::vector<std::shared_ptr<const shared_attributes>> kept;
  for (std::int64_t i = 0; i < 1'500; ++i) kept.push_back(shared({{"number", i}}));
  request_writer writer(of_no_service);
  std::vector<finished_span> all;
  for (int round = 0; round < 2; ++round)
    for (const auto& one : kept) all.push_back(example(context, *one));
  const auto read = test::read_traces(request(writer, all));
  ASSERT_EQ(read.size(), all.size());
  for (std::size_t i = 0; i < read.size(); ++i)
    EXPECT_EQ(read[i].attributes.at("number"), std::to_string(i % kept.size()));
}

// An address may be used again: what was there before must not be taken for it.
TEST(otlp_json, shared_attributes_that_were_written_are_kept) {
  const auto context = example_context();
  request_writer writer(of_no_service);
  std::weak_ptr<const shared_attributes> gone;
  {
    const auto attributes = shared({{"queue", "mail"}});
    gone = attributes;
    request(writer, {example(context, *attributes)});
  }
  EXPECT_FALSE(gone.expired());
}

TEST(otlp_answers, say_how_many_spans_were_rejected) {
  EXPECT_EQ(rejected_spans(R"({"partialSuccess":{"rejectedSpans":"3","errorMessage":"no"}})"), 3u);
  EXPECT_EQ(rejected_spans(R"({"partialSuccess":{"rejectedSpans":4}})"), 4u);
  EXPECT_EQ(rejected_spans(R"({"partialSuccess":{}})"), 0u);
  EXPECT_EQ(rejected_spans(R"({"partialSuccess":null})"), 0u);
  for (const auto* const other : {"{}", "", "ok", "[1]", R"({"partialSuccess":{"rejectedSpans":"many"}})",
                                  R"({"partialSuccess":{"rejectedSpans":-1}})"}) {
    EXPECT_EQ(rejected_spans(other), 0u) << other;
  }
}

}  // namespace
}  // namespace quarq::otlp
