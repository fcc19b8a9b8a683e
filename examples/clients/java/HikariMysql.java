// MySQL and MariaDB with HikariCP and MariaDB Connector/J: a fresh token for each connection the pool opens.
import com.zaxxer.hikari.*;
import java.io.*;
import java.net.URI;
import java.net.http.*;
import java.nio.file.*;
import java.sql.*;
import java.time.Duration;
import java.util.*;
import org.mariadb.jdbc.MariaDbDataSource;

class HikariMysql {
  /** Opens each connection with its own token; `format=jdbc` is read by java.util.Properties. */
  static class VendedDataSource extends MariaDbDataSource {
    private final HttpClient http = HttpClient.newHttpClient();
    private Path caBundle;

    @Override public synchronized Connection getConnection() throws SQLException {
      try {
        var form = "format=jdbc&database=" + System.getenv("RTV_DATABASE") + "&user=" + System.getenv("RTV_USER");
        var jwt = Files.readString(Path.of(System.getenv("RTV_JWT_FILE"))).strip();
        var answer = http.send(request("/v1/tokens")
            .header("Authorization", "Bearer " + jwt)
            .header("Content-Type", "application/x-www-form-urlencoded")
            .POST(HttpRequest.BodyPublishers.ofString(form)).build(), HttpResponse.BodyHandlers.ofString());
        if (answer.statusCode() != 201) throw new IOException(answer.statusCode() + " " + (answer.body().startsWith("{\"type\":\"urn:rds-token-vendor:") ? answer.body() : ""));
        if (caBundle == null) {
          var href = answer.headers().firstValue("rtv-ca-bundle").orElseThrow();
          var pem = http.send(request(href).build(), HttpResponse.BodyHandlers.ofString());
          if (pem.statusCode() != 200) throw new IOException("no CA bundle");
          caBundle = Files.writeString(Files.createTempFile("rds-ca", ".pem"), pem.body());
        }
        var properties = new Properties();
        properties.load(new StringReader(answer.body()));
        properties.setProperty("serverSslCert", caBundle.toString());
        return DriverManager.getConnection(properties.getProperty("url"), properties);
      } catch (IOException | InterruptedException error) {
        throw new SQLException("no token: " + error, error);
      }
    }

    private HttpRequest.Builder request(String path) {
      return HttpRequest.newBuilder(URI.create(System.getenv("RTV_URL") + path)).timeout(Duration.ofSeconds(15));
    }
  }

  public static void main(String[] args) throws Exception {
    try (var pool = new HikariDataSource(); var input = new BufferedReader(new InputStreamReader(System.in))) {
      pool.setDataSource(new VendedDataSource());
      pool.setMaximumPoolSize(4);
      for (String sql; (sql = input.readLine()) != null; ) {
        try (var connection = pool.getConnection(); var rows = connection.createStatement().executeQuery(sql)) {
          rows.next();
          System.out.println(rows.getString(1));
        }
      }
    }
  }
}
