// Reads renderings as Java does. Each line of the input is a kind and a text in base64; each answer is the values of user
// and password, in base64, or `-` where there is none.
import java.io.*;
import java.nio.charset.StandardCharsets;
import java.util.*;

class ReadJdbc {
  public static void main(String[] args) throws Exception {
    var input = new BufferedReader(new InputStreamReader(System.in));
    for (String line; (line = input.readLine()) != null; ) {
      var words = line.split(" ");
      var text = new String(Base64.getDecoder().decode(words[1]), StandardCharsets.UTF_8);
      var properties = new Properties();
      if (words[0].equals("properties")) {
        properties.load(new ByteArrayInputStream(text.getBytes(StandardCharsets.ISO_8859_1)));
      } else {
        properties = org.postgresql.Driver.parseURL(text.strip(), new Properties());
      }
      System.out.println(encode(properties, "user") + " " + encode(properties, "password"));
    }
  }

  static String encode(Properties properties, String name) {
    var value = properties == null ? null : properties.getProperty(name);
    return value == null ? "-" : Base64.getEncoder().encodeToString(value.getBytes(StandardCharsets.UTF_8));
  }
}
