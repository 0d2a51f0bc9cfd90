#include "redis/request.hpp"

#include <iterator>
#include <utility>

#include "base/assert.hpp"

namespace quarq::redis {

request_ptr make_request(const std::vector<std::string>& args) {
  auto r = std::make_shared<request>();
  append_command(r->bytes, args);
  return r;
}

request_ptr make_evalsha(const script& source, std::vector<std::string> keys,
                         std::vector<std::string> arguments) {
  std::vector<std::string> args;
  args.reserve(3 + keys.size() + arguments.size());
  args.push_back("EVALSHA");
  args.push_back(source.sha1);
  args.push_back(std::to_string(keys.size()));
  std::move(keys.begin(), keys.end(), std::back_inserter(args));
  std::move(arguments.begin(), arguments.end(), std::back_inserter(args));
  auto r = make_request(args);
  r->evaluates = &source;
  return r;
}

request_ptr make_evalsha(const script& source, std::string_view key,
                         std::span<const std::string_view> arguments) {
  std::vector<std::string_view> words;
  words.reserve(4 + arguments.size());
  words.insert(words.end(), {"EVALSHA", source.sha1, "1", key});
  words.insert(words.end(), arguments.begin(), arguments.end());
  auto r = std::make_shared<request>();
  append_command(r->bytes, words);
  r->evaluates = &source;
  return r;
}

request_ptr make_subscription(request::kind type, std::string_view channel) {
  QUARQ_ASSERT(type != request::kind::command);
  const char* const verb = type == request::kind::subscribe ? "SUBSCRIBE" : "UNSUBSCRIBE";
  auto r = make_request({verb, std::string(channel)});
  r->type = type;
  return r;
}

}  // namespace quarq::redis
