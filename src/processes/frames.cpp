#include "processes/frames.hpp"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <variant>

#include <quarq/detail/attachments.hpp>
#include <quarq/errors.hpp>

namespace quarq::processes {

namespace {

constexpr std::size_t first_room = 4096;
constexpr std::size_t failure_values = 5;

template <class Unsigned>
void put(char* to, Unsigned value) noexcept {
  for (std::size_t i = 0; i < sizeof value; ++i) to[i] = static_cast<char>(value >> (8 * i));
}

template <class Unsigned>
Unsigned get(const char* from) noexcept {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < sizeof(Unsigned); ++i)
    value |= static_cast<std::uint64_t>(static_cast<unsigned char>(from[i])) << (8 * i);
  return static_cast<Unsigned>(value);
}

[[noreturn]] void bad(const char* what, std::uint64_t value) {
  throw decode_error("process frame: " + std::string(what) + " " + std::to_string(value));
}

}  // namespace

// ---- headers

void write_header(char* to, const frame_header& header) noexcept {
  put(to, header.size);
  put(to + 4, static_cast<std::uint8_t>(header.kind));
  put(to + 5, header.flags);
  put(to + 6, header.files);
  put(to + 8, header.segment);
  put(to + 16, header.call);
}

frame_header read_header(std::string_view bytes) {
  if (bytes.size() < header_size) bad("a header of", bytes.size());
  frame_header header;
  header.size = get<std::uint32_t>(bytes.data());
  const auto kind = get<std::uint8_t>(bytes.data() + 4);
  header.flags = get<std::uint8_t>(bytes.data() + 5);
  header.files = get<std::uint16_t>(bytes.data() + 6);
  header.segment = get<std::uint64_t>(bytes.data() + 8);
  header.call = get<std::uint64_t>(bytes.data() + 16);
  if (kind < 1 || kind > static_cast<std::uint8_t>(frame_kind::note)) bad("unknown kind", kind);
  if (header.size > max_inline) bad("a body is too big:", header.size);
  if ((header.flags & ~frame_flag::all) != 0) bad("unknown flags", header.flags);
  // One more than max_files: the segment itself.
  if (header.files > detail::attachments::max_files + 1) bad("too many files:", header.files);
  if ((header.flags & frame_flag::new_segment) && header.files == 0)
    bad("no file of a new segment of", header.segment);
  header.kind = static_cast<frame_kind>(kind);
  return header;
}

// ---- frame_parser

std::span<char> frame_parser::prepare() {
  if (begin_ > 0) {
    std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
  }
  std::size_t room = std::max(first_room, end_ + 1);
  if (end_ >= header_size)
    room =
        std::max(room, header_size + std::min<std::size_t>(get<std::uint32_t>(buffer_.data()), max_inline));
  if (buffer_.size() < room) buffer_.resize(room);
  return {buffer_.data() + end_, buffer_.size() - end_};
}

bool frame_parser::next(frame& result) {
  const std::string_view here(buffer_.data() + begin_, end_ - begin_);
  if (here.size() < header_size) return false;
  result.header = read_header(here);
  if (here.size() - header_size < result.header.size) return false;
  result.body = here.substr(header_size, result.header.size);
  begin_ += header_size + result.header.size;
  return true;
}

// ---- hello

std::string hello_body(std::string_view build_id) {
  std::string body;
  encoder out(body);
  out.array(2);
  out.unsigned_integer(frames_version);
  out.binary(build_id);
  return body;
}

void check_hello(std::string_view body, std::string_view build_id) {
  decoder in(body, "hello of a child process");
  in.array(2);
  const auto version = in.unsigned_integer();
  if (version != frames_version)
    in.fail("its frames have version " + std::to_string(version) + ", ours " +
            std::to_string(frames_version));
  if (in.binary() != build_id) in.fail("it is another build of this program");
  in.finish();
}

// ---- calls

namespace {

constexpr std::size_t head_values = 8;

// An empty value is written as nil.
void write_raw(encoder& out, std::string_view value) {
  if (value.empty()) {
    out.nil();
  } else {
    out.raw(value);
  }
}

std::string_view read_raw(decoder& in) {
  return in.try_nil() ? std::string_view() : in.raw();
}

}  // namespace

void write_call_head(encoder& out, const call_head& head) {
  out.array(head_values);
  out.text(head.name);
  write_raw(out, head.thunk);
  write_raw(out, head.function);
  out.unsigned_integer(head.memory_limit);
  out.unsigned_integer(head.retire_above);
  out.boolean(head.plain_result);
  out.boolean(head.wants_notes);
  write_raw(out, head.facts);
}

call_head read_call_head(decoder& in) {
  in.array(head_values);
  call_head head;
  head.name = in.text();
  head.thunk = read_raw(in);
  head.function = read_raw(in);
  head.memory_limit = in.unsigned_integer();
  head.retire_above = in.unsigned_integer();
  head.plain_result = in.boolean();
  head.wants_notes = in.boolean();
  head.facts = read_raw(in);
  return head;
}

// ---- failures

namespace {

void write_model_error(encoder& out, const model_error& what) {
  out.array(3);
  out.text(what.kind);
  out.array(what.path.size());
  for (const auto& step : what.path) {
    if (const auto* index = std::get_if<std::size_t>(&step)) {
      out.unsigned_integer(*index);
    } else {
      // A name of the input need not be UTF-8 either.
      out.binary(std::get<std::string>(step));
    }
  }
  out.binary(what.message);
}

model_error read_model_error(decoder& in) {
  in.array(3);
  model_error what;
  what.kind = in.text();
  const std::size_t steps = in.array();
  for (std::size_t i = 0; i < steps; ++i) {
    if (in.peek() == value_type::integer) {
      what.path.emplace_back(static_cast<std::size_t>(in.unsigned_integer()));
    } else {
      what.path.emplace_back(std::string(in.binary()));
    }
  }
  what.message = in.binary();
  return what;
}

}  // namespace

void write_failure(encoder& out, const failure& what) {
  out.array(failure_values);
  out.unsigned_integer(static_cast<std::uint64_t>(what.reason));
  // The message of an exception need not be UTF-8.
  out.binary(what.type);
  out.binary(what.message);
  out.integer(what.delay.count());
  out.array(what.errors.size());
  for (const auto& one : what.errors) write_model_error(out, one);
}

failure read_failure(decoder& in) {
  in.array(failure_values);
  failure what;
  what.reason =
      static_cast<failure_reason>(in.unsigned_integer(static_cast<std::uint64_t>(failure_reason::ends)));
  what.type = in.binary();
  what.message = in.binary();
  what.delay = std::chrono::milliseconds(in.integer());
  const std::size_t errors = in.array();
  for (std::size_t i = 0; i < errors; ++i) what.errors.push_back(read_model_error(in));
  in.finish();
  return what;
}

}  // namespace quarq::processes
