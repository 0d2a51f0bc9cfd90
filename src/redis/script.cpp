#include "redis/script.hpp"

#include <openssl/sha.h>

namespace quarq::redis {

script::script(std::string_view lua) : text(lua) {
  unsigned char digest[SHA_DIGEST_LENGTH];
  SHA1(reinterpret_cast<const unsigned char*>(lua.data()), lua.size(), digest);
  constexpr char digits[] = "0123456789abcdef";
  for (const unsigned char byte : digest) {
    sha1 += digits[byte >> 4];
    sha1 += digits[byte & 15];
  }
}

}  // namespace quarq::redis
