#include "model/announcement.hpp"

#include <algorithm>

#include <quarq/errors.hpp>
#include <quarq/msgpack.hpp>

#include "codecs/fields.hpp"

namespace quarq::model {

bool announcement::may_include(std::string_view task) const {
  return !known || cut > 0 || std::find(tasks.begin(), tasks.end(), task) != tasks.end();
}

std::string encode_announcement(std::vector<std::string> tasks) {
  std::sort(tasks.begin(), tasks.end());
  std::size_t count = 0;
  for (std::size_t bytes = 0; count < tasks.size(); ++count) {
    bytes += tasks[count].size();
    if (bytes > max_announced) break;
  }
  std::string out;
  encoder e(out);
  e.map(2);
  e.text("tasks");
  e.array(count);
  for (std::size_t i = 0; i < count; ++i) e.text(tasks[i]);
  e.text("cut");
  e.unsigned_integer(tasks.size() - count);
  return out;
}

announcement read_announcement(std::string_view encoded) {
  announcement read;
  try {
    decoder in(encoded, "announcement");
    codecs::read_fields<codecs::other_keys::skipped>(in, [&](std::string_view key) {
      if (key == "tasks") {
        const std::size_t count = in.array();
        for (std::size_t i = 0; i < count; ++i) read.tasks.emplace_back(in.text());
        read.known = true;
      } else if (key == "cut") {
        read.cut = in.unsigned_integer();
      } else {
        in.skip();
      }
    });
  } catch (const decode_error&) {
    return {};
  }
  return read;
}

}  // namespace quarq::model
