// The bytes that parent and child exchange: docs/process_frames.md. No I/O here.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <quarq/msgpack.hpp>
#include <quarq/validation_error.hpp>

namespace quarq::processes {

inline constexpr std::uint64_t frames_version = 5;

enum class frame_kind : std::uint8_t {
  hello = 1,    ///< child: ready
  call = 2,     ///< parent: run this and answer
  run = 3,      ///< parent: run this and exit with its result
  value = 4,    ///< child: the result
  failure = 5,  ///< child: why there is none
  note = 6,     ///< child: what the function says before its answer; any number of them
};

/// Bits of a header's flags.
namespace frame_flag {
inline constexpr std::uint8_t new_segment = 1;      ///< the first file is the sender's segment
inline constexpr std::uint8_t body_in_segment = 2;  ///< the body only says where in the segment the body is
inline constexpr std::uint8_t retire = 4;           ///< value, failure: the child is not to be used again
inline constexpr std::uint8_t all = 7;
}  // namespace frame_flag

struct frame_header {
  std::uint32_t size = 0;  ///< of the body, which follows
  frame_kind kind{};
  std::uint8_t flags = 0;
  std::uint16_t files = 0;
  std::uint64_t segment = 0;  ///< bytes of the sender's segment; 0: this frame does not use it
  std::uint64_t call = 0;     ///< the number of the call, and of the answer to it
};
inline constexpr std::size_t header_size = 24;
/// A bigger body goes into the segment.
inline constexpr std::size_t max_inline = 64 * 1024;

void write_header(char* to, const frame_header& header) noexcept;
/// Throws decode_error if these bytes are no header.
frame_header read_header(std::string_view bytes);

struct frame {
  frame_header header;
  std::string_view body;
};

/// Splits the incoming bytes into frames.
class frame_parser {
 public:
  /// Where to put the next bytes; never empty. Invalidates the bodies returned before.
  std::span<char> prepare();
  void commit(std::size_t count) noexcept { end_ += count; }
  /// The next whole frame; its body is valid until prepare(). False if there is none yet. Throws
  /// decode_error; then no later byte can be read.
  bool next(frame& result);

 private:
  std::string buffer_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

// ---- bodies

std::string hello_body(std::string_view build_id);
/// Throws decode_error if this child speaks another version or is another program.
void check_hello(std::string_view body, std::string_view build_id);

/// A call without its arguments.
struct call_head {
  std::string_view name;           ///< of the function; with a thunk, only for messages
  std::string_view thunk;          ///< an encoded function id, or empty
  std::string_view function;       ///< an encoded function id, or empty
  std::uint64_t memory_limit = 0;  ///< 0: none
  std::uint64_t retire_above = 0;  ///< resident bytes; 0: never
  bool plain_result = false;
  bool wants_notes = false;  ///< somebody listens
  std::string_view facts;    ///< one msgpack value for the code above this level, or empty
};

/// The arguments, one array, are to be written next.
void write_call_head(encoder& out, const call_head& head);
/// Leaves `in` at the arguments.
call_head read_call_head(decoder& in);

enum class failure_reason : std::uint8_t {
  threw = 0,          ///< the function threw
  not_found = 1,      ///< the function is not in this process
  bad_arguments = 2,  ///< they can't be decoded
  memory_limit = 3,
  retry = 4,  ///< the function threw a quarq::retry_after
  ends = 5,   ///< the child can't go on, and ends
};
struct failure {
  failure_reason reason{};
  std::string type;
  std::string message;
  std::chrono::milliseconds delay{0};  ///< of a retry
  std::vector<model_error> errors{};   ///< of arguments that break their model
};
void write_failure(encoder& out, const failure& what);
failure read_failure(decoder& in);

}  // namespace quarq::processes
