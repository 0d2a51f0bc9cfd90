// Spans as OTLP's JSON, and the answers to them.
#include "otlp/json.hpp"

#include <boost/json.hpp>
#include <gtest/gtest.h>

#include "support/otlp_receiver.hpp"

namespace quarq::otlp {
namespace {

using namespace std::chrono_literals;

finished_span example() {
  finished_span one;
  one.context.trace_id = {0x0a, 0xf7, 0x65, 0x19, 0x16, 0xcd, 0x43, 0xdd,
                          0x84, 0x48, 0xeb, 0x21, 0x1c, 0x80, 0x31, 0x9c};
  one.context.span_id = {0xb7, 0xad, 0x6b, 0x71, 0x69, 0x20, 0x33, 0x31};
  one.name = "process mail";
  one.kind = span_kind::consumer;
  one.start = std::chrono::system_clock::time_point(1'700'000'000s + 5ns);
  one.end = one.start + 3ms;
  return one;
}

test::received_span written_and_read(const finished_span& one) {
  const std::vector<finished_span> all = {one};
  const std::vector<named_text> resource = {{"service.name", "shop"}};
  return test::read_traces(request_writer(resource).write(all)).at(0);
}

TEST(otlp_json, has_ids_in_hexadecimal_and_times_as_strings) {
  const std::vector<finished_span> all = {example()};
  const auto text = request_writer({}).write(all);
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
  auto one = example();
  one.parent_span_id = {1};
  one.context.trace_state = "a=b";
  one.attributes = {{"text", std::string("x")}, {"number", std::int64_t{-7}}};
  one.links = {example().context, example().context};
  one.links[1].span_id = {2};
  one.dropped_links = 3;
  one.status = span_status::error;
  one.status_message = "no";
  const auto read = written_and_read(one);
  EXPECT_EQ(read.parent, "0100000000000000");
  EXPECT_EQ(read.trace_state, "a=b");
  EXPECT_EQ(read.attributes, (std::map<std::string, std::string>{{"text", "x"}, {"number", "-7"}}));
  ASSERT_EQ(read.links.size(), 2u);
  EXPECT_EQ(read.links[1].second, "0200000000000000");
  EXPECT_EQ(read.status, 2);
  EXPECT_EQ(read.message, "no");
  EXPECT_EQ(read.resource.at("service.name"), "shop");
}

TEST(otlp_json, any_text_can_be_read_back) {
  auto one = example();
  std::string all;
  for (char c = 0; c < 0x7f; ++c) all += c;
  one.name = all + "caf\xc3\xa9";
  one.status = span_status::error;
  one.status_message = "caf\xe9";
  const auto read = written_and_read(one);
  EXPECT_EQ(read.name, one.name);
  EXPECT_EQ(read.message, "caf\xef\xbf\xbd");
}

TEST(otlp_json, many_spans_are_one_request) {
  const std::vector<finished_span> all(1'000, example());
  EXPECT_EQ(test::read_traces(request_writer({}).write(all)).size(), 1'000u);
  EXPECT_TRUE(test::read_traces(request_writer({}).write({})).empty());
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
