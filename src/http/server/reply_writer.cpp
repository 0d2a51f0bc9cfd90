#include "http/server/reply_writer.hpp"

#include <exception>

#include <boost/system/system_error.hpp>
#include <fmt/format.h>

#include <quarq/errors.hpp>
#include <quarq/http/problem.hpp>

#include "base/log.hpp"
#include "base/text.hpp"
#include "codecs/utf8.hpp"
#include "http/message/writer.hpp"

namespace quarq::http {

void reply_writer::begin(const response& r, const reply_facts& facts) {
  const std::size_t before = io_.out.size();
  written_ = 0;
  try {
    plan_ = append_reply_header(io_.out, r, facts);
    if (plan_.framing == body_framing::sized && !r.write_body) io_.out += r.body;
  } catch (const usage_error& e) {
    base::log().error("{} {}: {}", to_.method, to_.path, e.what());
    io_.out.resize(before);
    const auto failed = answer_of(problem(500));
    plan_ = append_reply_header(io_.out, failed, facts);
    if (plan_.framing == body_framing::sized) io_.out += failed.body;
    plan_.framing = body_framing::none;
  }
}

awaitable<void> reply_writer::write_body(const response& r) {
  try {
    co_await r.write_body(*this);
  } catch (const boost::system::system_error&) {  // the peer is gone
    throw;
  } catch (const std::exception& e) {
    constexpr std::size_t max_shown = 500;
    base::log().error("{} {}: the body's writer threw {}: {}", to_.method,
                      codecs::printable(to_.path, max_shown), base::type_name(typeid(e)), e.what());
    throw;
  }
  if (plan_.framing == body_framing::chunked) append_last_chunk(io_.out);
  if (plan_.framing == body_framing::sized && written_ != plan_.length) {
    throw usage_error(
        fmt::format("a body of {} bytes was announced, and {} were written", plan_.length, written_));
  }
}

awaitable<void> reply_writer::write(std::string_view bytes) {
  written_ += bytes.size();
  if (plan_.framing == body_framing::chunked) {
    append_chunk(io_.out, bytes);
  } else if (plan_.framing == body_framing::sized && written_ > plan_.length) {
    throw usage_error(fmt::format("a body of {} bytes was announced, and more were written", plan_.length));
  } else {
    io_.out += bytes;
  }
  if (!io_.send_now()) {
    co_await io_.send_rest();
    turn_.begin();
    co_return;
  }
  // A client that takes all of it at once would keep the loop until the body ends.
  turn_.spend(1 + bytes.size() / bytes_for_one);
  if (turn_.is_over()) co_await async::next_turn();
}

}  // namespace quarq::http
