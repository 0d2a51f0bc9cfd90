#include "http/client/answer_reader.hpp"

#include <algorithm>
#include <limits>
#include <span>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/error.hpp>
#include <boost/system/system_error.hpp>
#include <fmt/format.h>

#include <quarq/time.hpp>

namespace quarq::http {

namespace asio = boost::asio;

namespace {

constexpr auto as_answer_bytes = asio::as_tuple(asio::deferred);

// Most answers fit into the first read. Space is filled with zeros when it is made.
constexpr std::size_t first_read = std::size_t{4} << 10;
constexpr std::size_t read_at_once = std::size_t{16} << 10;
constexpr int max_interim_answers = 20;

// Servers send more than they would take: policies and cookies fill many kilobytes.
message_limits limits_of_answers() {
  message_limits limits;
  limits.field = std::size_t{64} << 10;
  limits.header = std::size_t{256} << 10;
  limits.fields = 500;
  limits.trailer = std::size_t{64} << 10;
  // Counted where the body is decoded.
  limits.body = std::numeric_limits<std::uint64_t>::max();
  return limits;
}

}  // namespace

answer_reader::answer_reader(stream& from) : from_(from), parser_("", limits_of_answers()) {}

void answer_reader::begin(std::string_view method, std::chrono::milliseconds max_silence) {
  parser_.reset(method);
  max_silence_ = max_silence;
  if (buffer_.size() > 2 * read_at_once) buffer_ = {};
  begin_ = end_ = 0;
  interim_ = 0;
  has_begun_ = is_complete_ = ended_ = false;
}

parse_step answer_reader::step() {
  const auto result = parser_.feed(unused());
  begin_ += result.used;
  return result;
}

bool answer_reader::take_header() {
  while (true) {
    const auto now = step();
    if (now.event == parse_event::failed)
      throw answer_error("the answer is not HTTP: " + parser_.error().what);
    if (now.event == parse_event::end) {
      // Only an interim answer ends before its header was returned.
      parser_.reset();
      if (++interim_ > max_interim_answers) throw answer_error("there are too many interim answers");
    } else if (now.event == parse_event::header) {
      const int status = parser_.status();
      if (parser_.has_unknown_coding())
        throw answer_error("the field Transfer-Encoding of the answer has a coding other than chunked");
      if (status >= 200) return true;
      if (status == 101) throw answer_error("the server switched protocols although nobody asked for that");
    } else if (ended_) {
      throw answer_error(has_begun_ ? "the connection ended in the header of the answer"
                                    : "the server closed the connection without an answer");
    } else {
      return false;
    }
  }
}

std::optional<std::string_view> answer_reader::take_body() {
  while (!is_complete_) {
    const auto now = ended_ ? parser_.feed_end() : step();
    switch (now.event) {
      case parse_event::body:
        if (!now.data.empty()) return now.data;
        break;
      case parse_event::end:
        is_complete_ = true;
        break;
      case parse_event::failed:
        throw answer_error(ended_ ? "the connection ended before the answer did"
                                  : "the answer is not HTTP: " + parser_.error().what);
      default:
        if (ended_) throw answer_error("the connection ended before the answer did");
        return std::nullopt;
    }
  }
  return std::string_view();
}

awaitable<void> answer_reader::read_header() {
  while (!take_header()) co_await read_more();
}

awaitable<std::string_view> answer_reader::read_body() {
  while (true) {
    const auto piece = take_body();
    if (piece) co_return *piece;
    co_await read_more();
  }
}

std::span<char> answer_reader::make_space() {
  // What is left moves to the front: it is short, since parsers use what they can.
  std::copy(buffer_.begin() + static_cast<std::ptrdiff_t>(begin_),
            buffer_.begin() + static_cast<std::ptrdiff_t>(end_), buffer_.begin());
  end_ -= begin_;
  begin_ = 0;
  const auto wanted = has_begun_ ? read_at_once : first_read;
  if (buffer_.size() - end_ < wanted / 2) buffer_.resize(end_ + wanted);
  return {buffer_.data() + end_, buffer_.size() - end_};
}

void answer_reader::received(std::size_t size) {
  ended_ = size == 0;
  has_begun_ = has_begun_ || size > 0;
  end_ += size;
}

awaitable<void> answer_reader::read_more() {
  const auto space = make_space();
  if (max_silence_.count() == 0 && !from_.has_tls()) {
    // What read_some() does, without a coroutine of its own: most requests of programs wait here, and only here.
    auto reading = from_.socket().async_read_some(asio::buffer(space.data(), space.size()), as_answer_bytes);
    const auto [failure, size] = co_await std::move(reading);
    if (failure && failure != asio::error::eof) throw boost::system::system_error(failure);
    received(size);
    co_return;
  }
  if (max_silence_.count() == 0) {
    const auto size = co_await from_.read_some(space);
    received(size);
    co_return;
  }
  try {
    const auto size = co_await with_timeout(from_.read_some(space), max_silence_);
    received(size);
  } catch (const timed_out&) {
    throw answer_error(fmt::format("nothing came for {} ms", max_silence_.count()));
  }
}

bool answer_reader::connection_can_be_reused() const noexcept {
  return is_complete_ && !ended_ && !has_unused() && parser_.keeps_alive();
}

}  // namespace quarq::http
