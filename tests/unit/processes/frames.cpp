// The bytes that parent and child exchange, and how functions are identified.
#include "processes/frames.hpp"

#include <gtest/gtest.h>

#include <quarq/codec.hpp>
#include <quarq/errors.hpp>

#include "processes/function_id.hpp"

namespace quarq::test {
namespace {

using namespace processes;

std::string frame_bytes(frame_kind kind, std::string_view body) {
  std::string bytes(header_size, '\0');
  frame_header header;
  header.kind = kind;
  header.size = static_cast<std::uint32_t>(body.size());
  write_header(bytes.data(), header);
  return bytes.append(body);
}

void feed(frame_parser& parser, std::string_view bytes) {
  while (!bytes.empty()) {
    const auto room = parser.prepare();
    const std::size_t count = std::min(room.size(), bytes.size());
    bytes.copy(room.data(), count);
    parser.commit(count);
    bytes.remove_prefix(count);
  }
}

std::string error_of(std::string bytes) {
  try {
    read_header(bytes);
  } catch (const decode_error& e) {
    return e.what();
  }
  return "no error";
}

TEST(process_frames, a_header_is_read_as_it_was_written) {
  frame_header header;
  header.size = 0x1234;
  header.kind = frame_kind::value;
  header.flags = frame_flag::new_segment | frame_flag::retire;
  header.files = 3;
  header.segment = 0x123456789abc;
  header.call = 0xfedcba987654;
  char bytes[header_size];
  write_header(bytes, header);
  const auto read = read_header({bytes, header_size});
  EXPECT_EQ(read.size, header.size);
  EXPECT_EQ(read.kind, header.kind);
  EXPECT_EQ(read.flags, header.flags);
  EXPECT_EQ(read.files, header.files);
  EXPECT_EQ(read.segment, header.segment);
  EXPECT_EQ(read.call, header.call);
}

TEST(process_frames, bad_headers_are_refused) {
  const std::string good = frame_bytes(frame_kind::call, "");
  EXPECT_EQ(error_of(good), "no error");
  const auto with = [&](std::size_t at, char value) {
    std::string bytes = good;
    bytes[at] = value;
    return error_of(bytes);
  };
  EXPECT_EQ(with(4, 0), "process frame: unknown kind 0");
  EXPECT_EQ(with(4, 7), "process frame: unknown kind 7");
  EXPECT_EQ(with(5, 8), "process frame: unknown flags 8");
  EXPECT_EQ(with(5, frame_flag::new_segment), "process frame: no file of a new segment of 0");
  EXPECT_EQ(with(3, 1), "process frame: a body is too big: 16777216");
  EXPECT_EQ(with(7, 1), "process frame: too many files: 256");
  EXPECT_EQ(error_of(good.substr(1)), "process frame: a header of 23");
}

TEST(process_frames, frames_are_cut_wherever_the_bytes_break) {
  const std::string all = frame_bytes(frame_kind::value, "one") + frame_bytes(frame_kind::value, "") +
                          frame_bytes(frame_kind::value, std::string(max_inline, 'x'));
  for (const std::size_t piece : {std::size_t{1}, std::size_t{7}, std::size_t{16}, all.size()}) {
    frame_parser parser;
    std::vector<std::string> bodies;
    for (std::size_t at = 0; at < all.size(); at += piece) {
      feed(parser, std::string_view(all).substr(at, piece));
      frame found;
      while (parser.next(found)) bodies.emplace_back(found.body);
    }
    ASSERT_EQ(bodies.size(), 3u) << piece;
    EXPECT_EQ(bodies[0], "one");
    EXPECT_EQ(bodies[1], "");
    EXPECT_EQ(bodies[2], std::string(max_inline, 'x'));
  }
}

TEST(process_frames, a_call_head_is_read_as_it_was_written) {
  const std::string facts = to_msgpack(std::vector<std::string>{"what", "is", "above"});
  call_head head;
  head.name = "count_words";
  head.memory_limit = 1 << 20;
  head.plain_result = true;
  head.wants_notes = true;
  head.facts = facts;
  std::string bytes;
  encoder out(bytes);
  write_call_head(out, head);
  decoder in(bytes);
  const auto read = read_call_head(in);
  EXPECT_TRUE(in.at_end());
  EXPECT_EQ(read.name, head.name);
  EXPECT_TRUE(read.thunk.empty());
  EXPECT_EQ(read.memory_limit, head.memory_limit);
  EXPECT_TRUE(read.plain_result);
  EXPECT_TRUE(read.wants_notes);
  EXPECT_EQ(read.facts, facts);
}

TEST(process_frames, a_failure_is_read_as_it_was_written) {
  failure sent{failure_reason::bad_arguments,
               "quarq::decode_error",
               "not \xff UTF-8",
               std::chrono::milliseconds(7),
               {}};
  sent.errors.push_back(
      {"string_too_short", {std::string("to"), std::size_t{2}, std::string("\xff")}, "short", {}});
  sent.errors.push_back({"missing", {}, "Field required", {}});
  std::string bytes;
  encoder out(bytes);
  write_failure(out, sent);
  decoder in(bytes);
  const auto read = read_failure(in);
  EXPECT_EQ(read.reason, sent.reason);
  EXPECT_EQ(read.type, sent.type);
  EXPECT_EQ(read.message, sent.message);
  EXPECT_EQ(read.delay, sent.delay);
  EXPECT_EQ(read.errors, sent.errors);
}

TEST(process_frames, another_build_is_refused) {
  EXPECT_NO_THROW(check_hello(hello_body("build"), "build"));
  EXPECT_THROW(check_hello(hello_body("build"), "another"), decode_error);
  EXPECT_THROW(check_hello("", "build"), decode_error);
}

void some_function() {}

TEST(function_id, a_function_is_found_again_by_its_id) {
  EXPECT_EQ(find_function(encode_function_id(&some_function)), &some_function);
  const auto found = find_function(encode_function_id(reinterpret_cast<any_function>(&std::abort)));
  EXPECT_EQ(found, reinterpret_cast<any_function>(&std::abort));
  EXPECT_FALSE(program_build_id().empty());
}

TEST(function_id, what_is_no_function_of_the_program_is_refused) {
  static int data = 0;
  EXPECT_THROW(encode_function_id(reinterpret_cast<any_function>(&data)), error);
  std::string place;
  encoder out(place);
  out.array(3);
  out.binary("/no/such/library.so");
  out.binary("id");
  out.unsigned_integer(1);
  try {
    find_function(place);
    FAIL() << "nothing was thrown";
  } catch (const error& e) {
    EXPECT_NE(std::string(e.what()).find("/no/such/library.so"), std::string::npos) << e.what();
  }
  EXPECT_THROW(find_function("nonsense"), decode_error);
}

}  // namespace
}  // namespace quarq::test
