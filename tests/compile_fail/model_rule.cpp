// expect: quarq: length() is for text, bytes, lists, sets and maps
#include <boost/describe.hpp>

#include <quarq/model.hpp>

struct page {
  int offset = 0;
};
BOOST_DESCRIBE_STRUCT(page, (), (offset))

#ifdef MUST_FAIL
QUARQ_MODEL(page, field(&page::offset).length(1, 2))
#else
QUARQ_MODEL(page, field(&page::offset).range(0, 100))
#endif
