// expect: quarq_the_pattern_and_the_handler_do_not_have_the_same_number_of_path_parameters
#include <string>

#include <quarq/http/server.hpp>

std::string get_user(int id, quarq::http::request&);

void compiles(quarq::http::server& s) {
  s.get("/users/{id}", get_user);
}

#ifdef MUST_FAIL
void must_not(quarq::http::server& s) {
  s.get("/users", get_user);
}
#endif
